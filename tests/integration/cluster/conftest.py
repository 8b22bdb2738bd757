"""One cluster of three nodes for all tests here; each test has a virtual host of its own on it, all nodes up."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from cluster_world import COUNTRIES, PASSWORD, Place, passwords
from servers.broker_fixtures import topology_of
from servers.missing import server_is_missing

from bridge.adapters.amqp.definitions import definitions
from bridge.adapters.amqp.management import Management
from bridge.core.errors import UnavailableError
from broker import PrivateCluster

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def cluster() -> Iterator[PrivateCluster]:
    """Three nodes."""
    running = PrivateCluster()
    try:
        running.start()
    except UnavailableError as error:
        server_is_missing(error)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def place(cluster: PrivateCluster) -> Iterator[Place]:
    """A virtual host with the topology of two countries."""
    name = f"test-{next(_numbers)}"
    cluster.any_alive.create_vhost(name)
    document = definitions(topology_of(COUNTRIES, passwords()), vhost=name)
    Management.at(cluster.any_alive.management_url).load(document)
    yield Place(cluster, name, PASSWORD)
    away = [index for index, node in enumerate(cluster.nodes) if not node.alive]
    if away:  # a test that failed in the middle
        cluster.restart(away)
    cluster.any_alive.delete_vhost(name)
