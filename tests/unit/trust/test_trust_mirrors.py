"""Several mirrors: the newest list that verifies wins, and a bad mirror costs its deadline and nothing else."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from mirror_servers import (
    Dripping,
    DrippingHeaders,
    Endless,
    Quiet,
    Silent,
    certificate,
    redirecting,
    serving,
    serving_folder,
)
from trust_network import FOUNDED, World, contact_point, edit_json, found, signing_key

from bridge.adapters.trust.membership.mirror import FolderMirror, Mirror
from bridge.adapters.trust.node import https_mirror
from bridge.adapters.trust.node.https_mirror import HttpsMirror
from bridge.adapters.trust.node.source import TufTrustSource

PATIENCE_SECONDS = 0.6
NEW_KEY = "rs.ncp#sig-2026a"


def node_with(world: World, *mirrors: Mirror, received: Path | None = None) -> TufTrustSource:
    return TufTrustSource(mirrors, world.folder / "cache", world.pinned_root(), received=received, now=world.clock)


def folders(*paths: Path) -> Sequence[Mirror]:
    return [FolderMirror(path) for path in paths]


async def test_a_list_comes_over_https_with_an_authority_of_this_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = certificate(world.folder)
    with serving_folder(world.mirror, context) as address:
        stranger = node_with(world, HttpsMirror(address, seconds=20))
        with pytest.raises(Exception, match="SSLError"):
            await stranger.refresh()
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        node = node_with(world, HttpsMirror(address, seconds=20))
        assert (await node.refresh()).version == 1

        world.enrol(signing_key(NEW_KEY))

        assert (await node.refresh()).version == 2
        assert node.failures == {}


@pytest.mark.parametrize("newest", [0, 1, 2])
async def test_whichever_mirror_is_the_newest_wins(world: World, newest: int) -> None:
    old = world.keep_mirror("old")
    world.enrol(signing_key(NEW_KEY))
    places = [old, old, old]
    places[newest] = world.mirror

    node = node_with(world, *folders(*places))

    assert (await node.refresh()).version == 2
    assert (await node.refresh()).version == 2
    assert node.failure is None
    assert all("version 1" in reason for reason in node.failures.values())


async def test_a_mirror_that_is_behind_is_named_though_another_is_not(world: World) -> None:
    old = world.keep_mirror("old")
    world.clock.moment += timedelta(hours=6)
    world.confirm()
    node = node_with(world, *folders(world.mirror, old))

    await node.refresh()
    await node.refresh()

    assert list(node.failures) == [str(old)]
    assert node.failure is None


def spoil_signature(mirror: Path) -> None:
    edit_json(mirror / "metadata" / "timestamp.json", lambda document: document["signed"].update(version=99))


def lose_a_file(mirror: Path) -> None:
    (mirror / "metadata" / "2.targets.json").unlink()


def become_another_network(mirror: Path) -> None:
    shutil.rmtree(mirror)
    shutil.copytree(found(mirror.parent / "other", contact_point("rs.ncp")).mirror, mirror)


@pytest.mark.parametrize("spoil", [spoil_signature, lose_a_file, become_another_network, shutil.rmtree])
@pytest.mark.parametrize("first", [True, False])
async def test_a_spoilt_mirror_takes_nothing_from_a_good_one(world: World, spoil: object, *, first: bool) -> None:
    world.enrol(signing_key(NEW_KEY))
    spoilt = world.keep_mirror("spoilt")
    spoil(spoilt)  # type: ignore[operator] - a callable
    places = (spoilt, world.mirror) if first else (world.mirror, spoilt)

    node = node_with(world, *folders(*places))

    assert (await node.refresh()).version == 2
    assert NEW_KEY in node.current().signing_keys
    same_timestamp = spoil is lose_a_file and not first  # then it is not looked at further
    assert list(node.failures) == ([] if same_timestamp else [str(spoilt)])


@pytest.mark.parametrize("server", [Silent, Dripping, DrippingHeaders, Endless])
async def test_a_slow_silent_or_endless_server_costs_its_deadline_once(world: World, server: type[Quiet]) -> None:
    world.enrol(signing_key(NEW_KEY))
    with serving(server) as address:
        node = node_with(world, HttpsMirror(address, seconds=PATIENCE_SECONDS), FolderMirror(world.mirror))
        begun = time.monotonic()

        directory = await node.refresh()

        first = time.monotonic() - begun
        assert directory.version == 2
        assert list(node.failures) == [address]
        assert first < PATIENCE_SECONDS + 10  # a machine under load
        world.enrol(signing_key("at.ncp#sig-2026a"))
        assert (await node.refresh()).version == 3


async def test_while_a_question_is_unanswered_the_server_is_not_asked_again(world: World) -> None:
    with serving(Silent) as address:
        node = node_with(world, HttpsMirror(address, seconds=PATIENCE_SECONDS), FolderMirror(world.mirror))
        await node.refresh()

        await node.refresh()

        assert "still without its answer" in node.failures[address]


async def test_no_redirect_is_followed(world: World) -> None:
    with serving_folder(world.mirror) as good, serving(redirecting(good)) as address:
        node = node_with(world, HttpsMirror(address, seconds=20))

        with pytest.raises(Exception, match="redirects elsewhere"):
            await node.refresh()


async def test_a_server_that_is_gone_leaves_the_list_in_memory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(https_mirror, "SILENCE_SECONDS", 1)
    with serving_folder(world.mirror) as address:
        node = node_with(world, HttpsMirror(address, seconds=20))
        before = await node.refresh()

    assert await node.refresh() is before
    assert "NewConnectionError" in node.failures[address]
    assert node.failure is not None


async def test_what_came_through_the_bridge_is_a_mirror_like_the_others(world: World) -> None:
    received = world.folder / "received"
    old = world.keep_mirror("old")
    node = node_with(world, *folders(old), received=received)
    await node.refresh()
    world.enrol(signing_key(NEW_KEY))

    await node.take(files_of(world.mirror))

    assert node.current().version == 2
    assert node_with(world, *folders(world.folder / "nowhere"), received=received).current().version == 2
    other_process = TufTrustSource(
        folders(old), world.folder / "cache-2", world.pinned_root(), received=received, now=world.clock
    )
    assert (await other_process.refresh()).version == 2


@pytest.mark.parametrize("spoil", [spoil_signature, lose_a_file, become_another_network])
async def test_forged_files_that_came_through_the_bridge_change_nothing(world: World, spoil: object) -> None:
    received = world.folder / "received"
    old = world.keep_mirror("old")
    node = node_with(world, *folders(old), received=received)
    before = await node.refresh()
    world.enrol(signing_key(NEW_KEY))
    forged = world.keep_mirror("forged")
    spoil(forged)  # type: ignore[operator] - a callable

    await node.take(files_of(forged))

    assert node.current() is before
    assert await node.refresh() is before
    assert node.failure is None
    await node.take(files_of(world.mirror))
    assert node.current().version == 2


@pytest.mark.parametrize("name", ["../outside.json", "metadata/../../outside.json", "/etc/outside", "metadata/x.json"])
async def test_a_file_that_no_repository_has_is_not_written(world: World, name: str) -> None:
    node = node_with(world, *folders(world.mirror), received=world.folder / "received")
    world.enrol(signing_key(NEW_KEY))

    await node.take({**files_of(world.mirror), name: b"{}"})

    assert not (world.folder / "received").exists()
    assert not (world.folder / "outside.json").exists()


async def test_a_list_that_only_was_confirmed_comes_through_the_bridge_too(world: World) -> None:
    old = world.keep_mirror("old")
    node = node_with(world, *folders(old), received=world.folder / "received")
    await node.refresh()
    world.clock.moment += timedelta(days=3)
    world.confirm()

    await node.take({"metadata/timestamp.json": (world.metadata / "timestamp.json").read_bytes()})

    assert node.current().signed_at == FOUNDED + timedelta(days=3)


async def test_a_notice_does_not_wait_for_a_mirror(world: World) -> None:
    with serving(Silent) as address:
        mirrors = [FolderMirror(world.keep_mirror("old")), HttpsMirror(address, seconds=1.5)]
        node = node_with(world, *mirrors, received=world.folder / "received")
        world.enrol(signing_key(NEW_KEY))
        refreshing = asyncio.create_task(node.refresh())
        current = world.folder / "cache" / "current"
        while not current.exists():  # noqa: ASYNC110 - in another thread: the first mirror is done, the second is asked
            await asyncio.sleep(0.01)

        await node.take(files_of(world.mirror))

        assert node.current().version == 2
        assert not refreshing.done()
        assert (await refreshing).version == 2


def files_of(mirror: Path) -> dict[str, bytes]:
    return {str(path.relative_to(mirror)): path.read_bytes() for path in mirror.rglob("*.json")}
