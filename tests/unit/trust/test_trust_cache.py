"""The node's cache of the verified list: shared by processes, robust against damage."""

from __future__ import annotations

import hashlib
import multiprocessing
from pathlib import Path

import pytest
from trust_network import SetClock, World, contact_point, signing_key

from bridge.adapters.trust.membership.locking import locked
from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.node.list_cache import ListCache
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.core.errors import UnavailableError


async def test_a_busy_cache_delays_the_keeping_and_not_the_list(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node = world.node()
    node.current()
    root_sha256 = hashlib.sha256(world.pinned_root().read_bytes()).hexdigest()
    kept = ListCache(world.folder / "cache").seen(root_sha256)
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    monkeypatch.setattr("bridge.adapters.trust.node.list_cache.LOCK_SECONDS", 0.05)

    with locked(world.folder / "cache" / "lock", wait_seconds=0):
        assert (await node.refresh()).version == 2
        assert "is held by another process" in str(node.failure)
        assert ListCache(world.folder / "cache").seen(root_sha256) == kept
    await node.refresh()
    assert node.failure is None
    assert ListCache(world.folder / "cache").seen(root_sha256) != kept


def test_processes_share_one_cache(world: World) -> None:
    world.node().current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    arguments = [(world.mirror, world.folder / "cache", world.pinned_root(), world.clock)] * 6

    with multiprocessing.get_context("spawn").Pool(3) as pool:
        versions = pool.starmap(_version_seen, arguments)

    assert versions == [2] * 6
    assert len(list((world.folder / "cache").glob("verified-*"))) == 1


def _version_seen(mirror: Path, cache: Path, root: Path, clock: SetClock) -> int:
    return TufTrustSource([FolderMirror(mirror)], cache, root, now=clock).current().version


def test_a_missing_pinned_root_is_named(world: World) -> None:
    node = TufTrustSource(
        [FolderMirror(world.mirror)], world.folder / "cache", world.folder / "nothing.json", now=world.clock
    )

    with pytest.raises(UnavailableError, match=r"nothing\.json"):
        node.current()


def test_a_damaged_record_of_what_was_seen_does_not_stop_the_node(world: World) -> None:
    world.node().current()
    (world.folder / "cache" / "current" / "seen.json").write_bytes(b"{")

    assert world.node().current().version == 1


async def test_a_verification_that_fails_half_way_writes_nothing_into_what_was_verified(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    node = world.node()
    node.current()
    before = _content(world.folder / "cache" / "current")
    world.revise(contact_point("at.ncp", name="Another name"), contact_point("rs.ncp", name="Another name"))
    world.enrol(signing_key("at.ncp#sig-2026a"))
    for path in (world.mirror / "targets" / "keys").glob("*at.json"):
        path.write_bytes(path.read_bytes().replace(b'"ES256"', b'"ES512"'))

    assert (await node.refresh()).version == 2

    assert node.failure is not None
    assert _content(world.folder / "cache" / "current") == before


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
