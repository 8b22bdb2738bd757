"""Serbia and Austria with nodes of their own; Austria's on a small disk where a test asks for it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# What tests of services and of the broker's troubles share lies beside this folder.
sys.path[:0] = [str(Path(__file__).parents[1] / name) for name in ("services", "amqp")]

from servers.small_disks import MIB, SmallDisk, small_disk  # noqa: E402 - behind the path
from service_world import NETWORK, World  # noqa: E402

from bridge.founding.network import found_network  # noqa: E402
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes  # noqa: E402
from bridge.founding.topology import apply_topology  # noqa: E402
from bridge.settings import load_settings  # noqa: E402

if TYPE_CHECKING:
    from servers.broker_fixtures import MakeVirtualHost

DISK_BYTES = 32 * MIB
MakeWorld = Callable[[Path], World]


@pytest.fixture
def make_world(tmp_path: Path, make_vhost: MakeVirtualHost) -> MakeWorld:
    """Founds both with their topology; Austria's folder is the given one."""

    def make(austria: Path) -> World:
        vhost = make_vhost({})
        description = tmp_path / "network.toml"
        description.write_text(NETWORK, "utf-8")
        found_network(tmp_path / "network", description)
        administrator = Path("secrets/broker-admin.url")
        place = BrokerPlace(
            host=vhost.broker.host, port=vhost.broker.port, vhost=vhost.name, admin_url_file=administrator
        )
        folders = {"rs": tmp_path / "rs", "at": austria}
        orders = [NodeOrder(folder, prefix.upper(), place) for prefix, folder in folders.items()]
        nodes = found_nodes(orders, network=tmp_path / "network")
        configs = {prefix: node.config for prefix, node in zip(folders, nodes, strict=True)}
        for config in configs.values():
            file = config.parent / administrator
            file.touch(mode=0o600)
            file.write_text(vhost.broker.management_url)
        asyncio.run(apply_topology([load_settings(config) for config in configs.values()]))
        return World(vhost, configs)

    return make


@pytest.fixture
def world(make_world: MakeWorld, tmp_path: Path) -> World:
    return make_world(tmp_path / "at")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_bytes=DISK_BYTES) as mounted:
        yield mounted


@pytest.fixture
def world_on_disk(make_world: MakeWorld, disk: SmallDisk) -> World:
    """Austria's node lies on the small disk."""
    return make_world(disk.folder / "at")
