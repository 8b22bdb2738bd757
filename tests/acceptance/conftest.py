"""Three countries on one real broker for a whole module: founded, prepared and run with the product's commands."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping

import pytest
from bridge_countries import Country, found_country, running

from broker import Access


@pytest.fixture(scope="module")
def countries(broker_node: Access, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Country]]:
    """Serbia, Hungary and Austria, each with its services running.

    For a module, not for the session: accounts belong to the whole broker, and whoever founds Serbia again on a virtual
    host of its own gives `rs-relay` another password.
    """
    folder = tmp_path_factory.mktemp("three-countries")
    vhost = f"acceptance-{secrets.token_hex(4)}"
    broker_node.create_vhost(vhost)
    try:
        found = {
            country.lower(): found_country(folder, country, broker=broker_node, vhost=vhost)
            for country in ("RS", "HU", "AT")
        }
        for country in found.values():
            country.apply_topology(broker_node.management_url)
        with running(list(found.values())):
            yield found
    finally:
        broker_node.delete_vhost(vhost)


@pytest.fixture
def serbia(countries: Mapping[str, Country]) -> Country:
    return countries["rs"]


@pytest.fixture
def hungary(countries: Mapping[str, Country]) -> Country:
    return countries["hu"]


@pytest.fixture
def austria(countries: Mapping[str, Country]) -> Country:
    return countries["at"]


@pytest.fixture
def own_vhost(broker_node: Access) -> Iterator[str]:
    """A virtual host of its own, for countries that a test stops, starves or floods."""
    vhost = f"acceptance-{secrets.token_hex(4)}"
    broker_node.create_vhost(vhost)
    yield vhost
    broker_node.delete_vhost(vhost)
