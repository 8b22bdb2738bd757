"""One process of the node is at a slow mirror: it costs the others nothing, and what they keep meanwhile counts."""

from __future__ import annotations

import asyncio
import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from trust_network import World, signing_key
from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.governance.repository import TufRepository
from bridge.adapters.trust.membership.locking import locked
from bridge.adapters.trust.membership.mirror import FolderMirror, Mirror, MirrorFetcher
from bridge.adapters.trust.node.kept_list import read_kept_list
from bridge.adapters.trust.node.list_cache import ListCache
from bridge.adapters.trust.node.source import TufTrustSource

NEW_KEY = "rs.ncp#sig-2026a"
PATIENCE_SECONDS = 30.0


class StallingMirror(MirrorFetcher):
    """A mirror that stops in the middle, after its timestamp, until it is let go on."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.name = str(folder)
        self.is_reached, self.go_on = Event(), Event()

    def attempt(self) -> FetcherInterface:
        return self

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url.endswith(".snapshot.json"):
            self.is_reached.set()
            self.go_on.wait(PATIENCE_SECONDS)
        return super()._fetch(url)


def process(world: World, *mirrors: Mirror, received: Path | None = None) -> TufTrustSource:
    """One of the node's processes, over the cache of all."""
    return TufTrustSource(mirrors, world.folder / "cache", world.pinned_root(), received=received, now=world.clock)


@contextmanager
def refreshing(node: TufTrustSource, mirror: StallingMirror) -> Iterator[None]:
    """While `node` is in the middle of a refresh from this mirror; over when it has ended."""
    thread = Thread(target=lambda: asyncio.run(node.refresh()))
    thread.start()
    try:
        assert mirror.is_reached.wait(PATIENCE_SECONDS)
        yield
        assert thread.is_alive()
    finally:
        mirror.go_on.set()
        thread.join()


def test_while_a_process_is_at_a_slow_mirror_another_takes_and_keeps_a_newer_list(world: World) -> None:
    slow = StallingMirror(world.keep_mirror("slow"))
    first, second = process(world, slow), process(world, FolderMirror(world.mirror))
    world.enrol(signing_key(NEW_KEY))
    with refreshing(first, slow):
        assert second.current().version == 2
        assert second.failure is None
        assert read_kept_list(world.folder / "cache", root=world.pinned_root()).directory.version == 2

    assert first.current().version == 2
    assert "version 1 of the membership list is older than 2" in str(first.failure)


def test_a_list_that_forgets_what_was_kept_meanwhile_is_not_used(world: World) -> None:
    world.enrol(signing_key(NEW_KEY))
    slow = StallingMirror(world.keep_mirror("slow"))
    assert process(world, FolderMirror(world.mirror)).current().version == 2
    shutil.copytree(world.repository.mirror.parent, world.folder / "elsewhere")
    forgetful = World(world.folder, TufRepository(world.folder / "elsewhere"), world.clock)
    forgetful.enrol(signing_key("at.ncp#sig-2026a"))
    forgetful.put_mirror_at(world.folder / "slow")
    world.revoke(NEW_KEY)  # another version 3
    first, second = process(world, slow), process(world, FolderMirror(world.mirror))
    with refreshing(first, slow):
        assert second.current().version == 3

    assert first.current().signing_keys[NEW_KEY].revoked_at is not None
    assert "no longer says that rs.ncp#sig-2026a was revoked" in str(first.failure)


def test_an_older_confirmation_does_not_replace_the_one_kept_meanwhile(world: World) -> None:
    slow = StallingMirror(world.keep_mirror("slow"))
    first, second = process(world, slow), process(world, FolderMirror(world.mirror))
    world.clock.moment += timedelta(hours=6)
    world.confirm()
    with refreshing(first, slow):
        second.current()

    restarted = process(world)
    assert first.current().signed_at == restarted.current().signed_at == world.clock()
    assert "was confirmed later" in str(first.failure)


def test_what_was_kept_is_read_while_the_cache_is_locked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.enrol(signing_key(NEW_KEY))
    world.node().current()
    monkeypatch.setattr("bridge.adapters.trust.node.list_cache.LOCK_SECONDS", 0.05)

    with locked(world.folder / "cache" / "lock", wait_seconds=0):
        assert read_kept_list(world.folder / "cache", root=world.pinned_root()).directory.version == 2
        assert process(world, FolderMirror(world.folder / "nowhere")).current().version == 2


def test_a_list_that_cannot_be_kept_is_used_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node = world.node()
    node.current()
    world.enrol(signing_key(NEW_KEY))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "cache")

    with monkeypatch.context() as patch:
        patch.setattr(ListCache, "keep", full)
        assert asyncio.run(node.refresh()).version == 2
        assert "No space left on device" in str(node.failure)
    asyncio.run(node.refresh())
    assert node.failure is None
    assert process(world).current().version == 2


async def test_a_notice_counts_at_once_while_a_mirror_is_slow(world: World) -> None:
    received = world.folder / "received"
    slow = StallingMirror(world.keep_mirror("slow"))
    node = process(world, slow, received=received)
    world.enrol(signing_key(NEW_KEY))
    files = {str(path.relative_to(world.mirror)): path.read_bytes() for path in world.mirror.rglob("*.json")}
    with refreshing(node, slow):
        await node.take(files)

        assert node.current().version == 2


async def test_copies_of_a_crashed_process_are_removed_in_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = world.folder / "cache"
    node = world.node()
    node.current()
    (cache / "verified-crashed").mkdir()
    world.enrol(signing_key(NEW_KEY))
    await node.refresh()
    assert len(list(cache.glob("verified-*"))) == 2  # it may be at work

    monkeypatch.setattr("bridge.adapters.trust.node.list_cache.ABANDONED_SECONDS", -1.0)
    world.enrol(signing_key("at.ncp#sig-2026a"))
    await node.refresh()

    assert list(cache.glob("verified-*")) == [(cache / "current").resolve()]
