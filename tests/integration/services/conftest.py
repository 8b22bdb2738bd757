"""Two countries with nodes of their own on a virtual host of their own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from service_world import NETWORK, World

from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.founding.topology import apply_topology
from bridge.settings import load_settings

if TYPE_CHECKING:
    from servers.broker_fixtures import MakeVirtualHost


@pytest.fixture
def network_text() -> str:
    """The network file; a test's own fixture of this name gives another one."""
    return NETWORK


@pytest.fixture
def world(tmp_path: Path, make_vhost: MakeVirtualHost, network_text: str) -> World:
    """Serbia and Austria, founded, enrolled, and with their topology on the broker; nothing runs yet."""
    vhost = make_vhost({})
    description = tmp_path / "network.toml"
    description.write_text(network_text, "utf-8")
    found_network(tmp_path / "network", description)
    place = BrokerPlace(
        host=vhost.broker.host,
        port=vhost.broker.port,
        vhost=vhost.name,
        admin_url_file=Path("secrets/broker-admin.url"),
    )
    orders = [NodeOrder(tmp_path / prefix, prefix.upper(), place) for prefix in ("rs", "at")]
    found = found_nodes(orders, network=tmp_path / "network")
    configs = {order.folder.name: node.config for order, node in zip(orders, found, strict=True)}
    for config in configs.values():
        administrator = config.parent / "secrets" / "broker-admin.url"
        administrator.touch(mode=0o600)
        administrator.write_text(vhost.broker.management_url)
    asyncio.run(apply_topology([load_settings(config) for config in configs.values()]))
    return World(vhost, configs)
