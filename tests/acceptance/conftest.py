"""Three countries on one real broker for the whole session: founded, prepared and run with the product's commands."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from bridge_countries import NETWORK, Country, ask, running

from broker import Access


@pytest.fixture(scope="session")
def countries(broker_node: Access, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Country]]:
    """Serbia, Hungary and Austria, each with its services running."""
    folder = tmp_path_factory.mktemp("three-countries")
    vhost = f"acceptance-{secrets.token_hex(4)}"
    broker_node.create_vhost(vhost)
    try:
        found = {country.lower(): _found(folder, country, broker_node, vhost) for country in ("RS", "HU", "AT")}
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


def _found(folder: Path, country: str, broker: Access, vhost: str) -> Country:
    """`network init` for the first country, then `node init` and `topology apply`."""
    network, node = folder / "network", folder / country.lower()
    if not network.exists():
        file = folder / "network.toml"
        file.write_text(NETWORK, "utf-8")
        ask("network", "init", network, "--config", file)
    place = ("--broker-host", broker.host, "--broker-port", broker.port, "--vhost", vhost)
    founded = ask("node", "init", node, "--country", country, "--network", network, *place)
    made = Country(Path(founded["config"]))
    made.apply_topology(broker.management_url)
    return made
