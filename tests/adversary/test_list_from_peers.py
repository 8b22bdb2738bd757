"""The membership list as it comes through the bridge, from a peer that lies: believed as little as any mirror."""

from __future__ import annotations

import json
import tracemalloc
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.core.messages.directory_notice import (
    MAX_PACKED_CHARACTERS,
    MAX_UNPACKED_BYTES,
    pack_files,
    unpack_files,
)
from bridge.core.wire import base64url

if TYPE_CHECKING:
    from trust_network import World


def reached_by_peers(world: World) -> tuple[TufTrustSource, Path]:
    """A node that takes lists from its peers, and the folder in which it keeps them."""
    received, mirror = world.folder / "received", FolderMirror(world.mirror)
    cache = world.folder / "cache"
    node = TufTrustSource([mirror], cache, world.pinned_root(), received=received, now=world.clock)
    node.current()
    return node, received


@pytest.mark.parametrize("name", ["../../../root.json", "/etc/passwd", "metadata/../../x.json", "metadata/1.evil.json"])
async def test_files_from_a_peer_that_are_meant_for_another_place_on_the_disk(world: World, name: str) -> None:
    node, received = reached_by_peers(world)
    before = node.current()
    await node.take({name: b"{}", "metadata/timestamp.json": b"{}"})
    assert node.current() is before
    assert not received.exists()


async def test_files_from_a_peer_that_nobody_signed(world: World) -> None:
    node, received = reached_by_peers(world)
    before = node.current()
    timestamp = json.loads((world.metadata / "timestamp.json").read_bytes())
    timestamp["signed"]["version"] += 1
    await node.take({"metadata/timestamp.json": json.dumps(timestamp).encode()})
    assert node.current() is before
    assert not received.exists()


@pytest.mark.parametrize("timestamp", [{}, {"metadata/timestamp.json": b"{}"}])
async def test_files_from_a_peer_that_are_many_and_empty_are_not_written(
    world: World, timestamp: dict[str, bytes]
) -> None:
    node, received = reached_by_peers(world)
    before, cached = node.current(), list((world.folder / "cache").rglob("*"))
    await node.take({f"metadata/{number}.root.json": b"" for number in range(2000)} | timestamp)
    assert node.current() is before
    assert not received.exists()
    assert list((world.folder / "cache").rglob("*")) == cached


def test_files_from_a_peer_that_are_thirty_thousand_in_one_notice() -> None:
    packed = pack_files({f"metadata/{number}.root.json": b"" for number in range(100_000, 130_000)})
    assert len(packed) <= MAX_PACKED_CHARACTERS
    with pytest.raises(ValueError, match="more than 2000 files"):
        unpack_files(packed)


def test_files_from_a_peer_that_unpack_to_a_hundred_megabytes() -> None:
    bomb = base64url.encode(zlib.compress(b" " * 10**8, 9))
    tracemalloc.start()
    with pytest.raises(ValueError, match="unpacks to more than"):
        unpack_files(bomb)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 3 * MAX_UNPACKED_BYTES
