"""One broker by TLS for all tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from servers.missing import server_is_missing
from tls_world import NETWORK_FILE, TlsWorld

from bridge.core.errors import UnavailableError
from bridge.founding.certificates import Secretariat
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.founding.topology import apply_topology
from bridge.settings import load_settings
from broker import PrivateNode
from broker.tls import certify_broker


@pytest.fixture(scope="session")
def tls_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsWorld]:
    """Serbia and Austria on a broker that is found under 127.0.0.1 and under no name."""
    folder: Path = tmp_path_factory.mktemp("tls")
    network, admin_url_file = folder / "network", folder / "broker-admin.url"
    found_network(network, NETWORK_FILE)
    broker = PrivateNode(tls=certify_broker(folder / "broker", Secretariat.of(network), hosts=("127.0.0.1",)))
    try:
        broker.start()
    except UnavailableError as error:
        server_is_missing(error)
    try:
        admin_url_file.touch(mode=0o600)
        admin_url_file.write_text(broker.management_url)
        place = BrokerPlace("amqps", broker.host, broker.port, admin_url_file=admin_url_file)
        found = found_nodes(
            [NodeOrder(folder / prefix, prefix.upper(), place) for prefix in ("rs", "at")], network=network
        )
        nodes = {one.config.parent.name: load_settings(one.config) for one in found}
        asyncio.run(apply_topology(list(nodes.values())))
        yield TlsWorld(network, broker, nodes)
    finally:
        broker.stop()
