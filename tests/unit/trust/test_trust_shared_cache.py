"""Several processes of one node over one cache: at no moment, and after no failure, is the list in memory outrun."""

from __future__ import annotations

import shutil
from datetime import timedelta
from threading import Thread

import pytest
from trust_network import World, signing_key

from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.node import list_verifier
from bridge.adapters.trust.node.list_cache import ListCache
from bridge.adapters.trust.node.source import TufTrustSource


async def test_while_another_process_is_ahead_the_list_in_memory_is_the_highest_known(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    services, command = world.node(), world.node()
    services.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    await command.refresh()
    seen_meanwhile = []
    verify_list = list_verifier.verify_list

    def watched(*arguments: object, **named: object) -> object:
        view = services.view()
        seen_meanwhile.append((view.directory.version, view.highest_version))
        return verify_list(*arguments, **named)

    monkeypatch.setattr(list_verifier, "verify_list", watched)

    await services.refresh()

    assert seen_meanwhile == [(1, 1)]
    assert services.view().directory.version == services.view().highest_version == 2


async def test_when_the_mirror_fails_what_another_process_verified_is_taken(world: World) -> None:
    services, command = world.node(), world.node()
    services.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    await command.refresh()
    timestamp = world.metadata / "timestamp.json"
    timestamp.write_bytes(timestamp.read_bytes()[:-20])

    directory = await services.refresh()

    assert directory.version == 2
    assert "rs.ncp#sig-2026a" in directory.signing_keys
    assert services.highest_version() == 2
    assert services.failure is not None


async def test_a_confirmation_that_another_process_has_seen_is_taken_too(world: World) -> None:
    behind = FolderMirror(world.keep_mirror("behind"))
    services = TufTrustSource([behind], world.folder / "cache", world.pinned_root(), now=world.clock)
    services.current()
    world.clock.moment += timedelta(hours=6)
    world.confirm()
    world.node().current()

    assert (await services.refresh()).signed_at == world.clock()


async def test_when_mirror_and_cache_both_fail_the_list_in_memory_stays_usable(world: World) -> None:
    services, command = world.node(), world.node()
    services.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    await command.refresh()
    shutil.rmtree(world.mirror)
    shutil.rmtree(world.folder / "cache" / "current" / "metadata")

    await services.refresh()

    view = services.view()
    assert view.directory.version == 1
    assert view.highest_version == 1


async def test_a_slower_refresh_never_puts_an_older_list_back(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    node = world.node()
    node.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    later: list[Thread] = []
    keep = ListCache.keep

    def keep_and_be_overtaken(self: ListCache, *arguments: object, **named: object) -> None:
        keep(self, *arguments, **named)
        if not later:
            world.enrol(signing_key("at.ncp#sig-2026a"))
            later.append(Thread(target=node._refresh))
            later[0].start()

    monkeypatch.setattr(ListCache, "keep", keep_and_be_overtaken)

    await node.refresh()
    later[0].join()

    assert node.current().version == 3
    assert node.highest_version() == 3
