"""Founds the demonstration's network: 14 countries from config/demo-network.toml, a folder and a database for each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bridge.founding.certificates import Secretariat
from bridge.founding.network import found_network, network_state
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.founding.topology import apply_topology
from bridge.settings import load_settings
from broker.access import Access
from broker.tls import TlsFiles, certify_broker

NETWORK_FILE: Final = Path(__file__).parent.parent / "config" / "demo-network.toml"
MANAGEMENT_URL_FILE: Final = "secrets/broker-admin.url"


def found_demo_network(folder: Path) -> TlsFiles:
    """Founds the network, and gets its broker a certificate of the network's authority."""
    found_network(folder / "network", NETWORK_FILE)
    return certify_broker(folder / "broker", Secretariat.of(folder / "network"))


def found_countries(folder: Path, *, broker: Access, vhost: str) -> Mapping[str, Path]:
    """The countries' settings files by prefix; blocks for the seconds that the keys take."""
    countries = network_state(folder / "network").countries
    place = BrokerPlace(
        scheme="amqps" if broker.by_certificate else "amqp",
        host=broker.host,
        port=broker.port,
        vhost=vhost,
        admin_url_file=Path(MANAGEMENT_URL_FILE),
    )
    orders = [NodeOrder(folder / country.lower(), country, place) for country in countries]
    found_nodes(orders, network=folder / "network")
    return {order.folder.name: order.folder / "node.toml" for order in orders}


async def prepare_broker(configs: Mapping[str, Path], *, broker: Access) -> None:
    """Declares what the countries need, accounts included, with the administrator's address for this moment only."""
    nodes = [load_settings(config) for config in configs.values()]
    file = nodes[0].path(Path(MANAGEMENT_URL_FILE))
    try:
        file.touch(mode=0o600)
        file.write_text(broker.management_url + "\n", "utf-8")
        await apply_topology(nodes)
    finally:
        file.unlink(missing_ok=True)
