"""Three countries with one alert between them, made once; each test has copies of their nodes. No broker."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from cli_commands import ALERT, NETWORK, Nodes, ask, carry, deliver

from bridge.adapters.store.schema import migrate
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.settings import load_settings

PREFIXES = ("rs", "hu", "at")


@dataclass(frozen=True)
class Shift:
    """Where the nodes are, the alert that was sent, and what was refused."""

    folder: Path
    sent: str
    refused: str


@pytest.fixture(scope="session")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Shift:
    """The network and three nodes whose broker does not answer, after one alert and something refused."""
    folder = tmp_path_factory.mktemp("lone")
    (folder / "network.toml").write_text(NETWORK, "utf-8")
    found_network(folder / "network", folder / "network.toml")
    place = BrokerPlace(port=1)
    orders = [NodeOrder(folder / prefix, prefix.upper(), place) for prefix in PREFIXES]
    configs = [node.config for node in found_nodes(orders, network=folder / "network")]
    for config in configs:
        asyncio.run(migrate(load_settings(config).database_url))
    nodes = Nodes(folder / "network", *configs)
    sent = ask("alert", "submit", ALERT, "--config", nodes.rs)["id"]
    for destination in (nodes.hu, nodes.at):
        carry(nodes.rs, destination, sent)
    deliver(nodes.at, b"no message at all")
    refused = ask("quarantine", "list", "--config", nodes.at)["items"][0]["id"]
    return Shift(folder, sent, refused)


@pytest.fixture
def nodes(shift: Shift, tmp_path: Path) -> Nodes:
    """Copies of the nodes; the network is the same for all tests."""
    for prefix in PREFIXES:
        shutil.copytree(shift.folder / prefix, tmp_path / prefix, symlinks=True)
    return Nodes(shift.folder / "network", *(tmp_path / prefix / "node.toml" for prefix in PREFIXES))


@pytest.fixture
def sent(shift: Shift) -> str:
    """An alert that Serbia has sent, and Hungary and Austria have received."""
    return shift.sent


@pytest.fixture
def refused(shift: Shift) -> str:
    """Something that Austria has in quarantine."""
    return shift.refused
