"""The node's membership list: refreshed, kept, never rolled back."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from trust_network import FOUNDED, World, contact_point, edit_json, found, sealing_key, signing_key

from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.core.errors import RefusedError, UnavailableError


def test_the_first_look_reads_the_mirror(world: World) -> None:
    node = world.node()

    directory = node.current()

    assert (directory.network, directory.version, sorted(directory.contact_points)) == ("see", 1, ["at.ncp", "rs.ncp"])
    assert directory.signed_at == FOUNDED
    assert node.highest_version() == 1


async def test_a_refresh_brings_a_newer_version_with_its_keys(world: World) -> None:
    node = world.node()
    node.current()
    sign, seal = signing_key("rs.ncp#sig-2026a"), sealing_key("rs.ncp#enc-2026a")
    assert world.enrol(sign, seal) == 2

    directory = await node.refresh()

    assert directory.version == 2
    assert directory.signing_keys == {sign.kid: sign}
    assert directory.encryption_keys == {seal.kid: seal}
    assert node.current() is directory


async def test_a_refresh_that_finds_nothing_new_keeps_the_same_list(world: World) -> None:
    node = world.node()
    before = node.current()

    assert await node.refresh() is before
    assert node.failure is None


async def test_a_list_signed_anew_is_the_same_version_and_fresher(world: World) -> None:
    node = world.node()
    node.current()
    world.clock.moment += timedelta(hours=6)
    world.confirm()

    directory = await node.refresh()

    assert directory.version == 1
    assert directory.signed_at == FOUNDED + timedelta(hours=6)


async def test_without_the_mirror_the_list_in_memory_stays(world: World) -> None:
    node = world.node()
    before = node.current()
    shutil.rmtree(world.mirror)

    assert await node.refresh() is before
    assert node.failure is not None
    assert "timestamp.json" in node.failure


def test_without_the_mirror_a_restarted_node_has_its_cached_list(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.node().current()
    world.pinned_root()
    shutil.rmtree(world.mirror)

    restarted = world.node()

    assert restarted.current().version == 2
    assert "rs.ncp#sig-2026a" in restarted.current().signing_keys
    assert restarted.highest_version() == 2


async def test_a_list_that_expires_meanwhile_stays_in_memory_and_says_so(world: World) -> None:
    node = world.node()
    before = node.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))  # a newer version, that will have expired all the same
    world.clock.moment += timedelta(days=46)

    assert await node.refresh() is before
    assert node.failure is not None
    assert "expired" in node.failure


def test_after_a_restart_an_expired_list_is_there_to_be_named_as_expired(world: World) -> None:
    world.node().current()
    world.clock.moment += timedelta(days=46)

    directory = world.node().current()

    assert directory.version == 1
    assert directory.expires < world.clock()


def test_an_expired_list_is_not_taken_by_a_node_that_never_had_one(world: World) -> None:
    world.clock.moment += timedelta(days=46)
    node = world.node()

    with pytest.raises(UnavailableError, match=r"timestamp\.json is expired") as caught:
        node.current()
    assert caught.value.code == "E_TRUST_LIST"
    assert node.highest_version() == 0


@pytest.mark.parametrize("restart", [False, True])
async def test_an_older_version_is_refused(world: World, *, restart: bool) -> None:
    old = world.keep_mirror("old")
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    node = world.node()
    node.current()
    world.put_mirror(old)
    if restart:
        node = world.node()

    directory = await node.refresh()

    assert directory.version == 2
    assert node.highest_version() == 2
    assert node.failure is not None


async def test_an_older_timestamp_of_the_same_version_is_refused(world: World) -> None:
    old = world.keep_mirror("old")
    world.clock.moment += timedelta(hours=6)
    world.confirm()
    node = world.node()
    node.current()
    world.put_mirror(old)

    assert (await node.refresh()).signed_at == FOUNDED + timedelta(hours=6)
    assert node.failure is not None
    assert "version" in node.failure


async def test_a_rollback_is_refused_even_when_the_cached_metadata_are_lost(world: World) -> None:
    old = world.keep_mirror("old")
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.node().current()
    shutil.rmtree(world.folder / "cache" / "current" / "metadata")
    world.put_mirror(old)
    node = world.node()

    with pytest.raises(UnavailableError, match="older than 2"):
        await node.refresh()
    assert node.highest_version() == 2


@pytest.mark.parametrize("name", ["timestamp.json", "2.snapshot.json", "2.targets.json"])
async def test_tampered_metadata_are_refused_and_the_last_list_stays(world: World, name: str) -> None:
    node = world.node()
    before = node.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    edit_json(world.metadata / name, lambda document: document["signed"].update(expires="2030-01-01T00:00:00Z"))

    assert await node.refresh() is before
    assert node.failure is not None


async def test_a_tampered_document_is_refused_and_the_last_list_stays(world: World) -> None:
    node = world.node()
    before = node.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    for path in (world.mirror / "targets" / "keys").glob("*rs.json"):
        path.write_bytes(path.read_bytes().replace(b'"ES256"', b'"ES512"'))

    assert await node.refresh() is before
    assert node.failure is not None


async def test_one_of_two_signatures_of_the_members_list_is_not_enough(world: World) -> None:
    node = world.node()
    before = node.current()
    for number in (2, 3):
        (world.repository.keys / f"governance-{number}.pem").rename(world.folder / f"elsewhere-{number}.pem")

    with pytest.raises(RefusedError, match="targets: 1 of 2 signatures"):
        world.enrol(signing_key("rs.ncp#sig-2026a"))
    assert await node.refresh() is before


async def test_a_half_copied_mirror_spoils_nothing(world: World) -> None:
    world.node().current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    (world.metadata / "2.targets.json").unlink()
    node = world.node()

    assert (await node.refresh()).version == 1
    assert node.failure is not None


async def test_after_a_failure_the_mended_mirror_is_taken(world: World) -> None:
    node = world.node()
    node.current()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    good = world.keep_mirror("good")
    (world.metadata / "2.targets.json").unlink()
    await node.refresh()
    world.put_mirror(good)

    assert (await node.refresh()).version == 2
    assert node.failure is None


async def test_another_networks_mirror_is_refused(world: World, tmp_path: Path) -> None:
    node = world.node()
    before = node.current()
    other = found(tmp_path / "other", contact_point("rs.ncp"), at=FOUNDED + timedelta(hours=1))
    world.put_mirror(other.mirror)

    assert await node.refresh() is before
    assert node.failure is not None
    assert "sign" in node.failure


def test_another_pinned_root_starts_afresh(world: World, tmp_path: Path) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.node().current()
    other = found(tmp_path / "other", contact_point("at.ncp"), network="other")

    node = TufTrustSource([FolderMirror(other.mirror)], tmp_path / "cache", other.first_root, now=world.clock)

    assert node.current().network == "other"
    assert node.highest_version() == 1


async def test_a_list_confirmed_in_the_future_is_refused(world: World) -> None:
    node = world.node()
    before = node.current()
    world.repository.confirm(at=FOUNDED + timedelta(days=40))

    assert await node.refresh() is before
    assert node.failure is not None
    assert "45 days ahead" in node.failure


async def test_a_pipe_or_a_huge_file_in_the_mirror_does_not_stop_the_node(world: World) -> None:
    node = world.node()
    before = node.current()
    timestamp = world.metadata / "timestamp.json"
    timestamp.unlink()

    os.mkfifo(timestamp)
    assert await node.refresh() is before
    timestamp.unlink()
    with timestamp.open("wb") as file:
        file.truncate(100 * 1024 * 1024)

    assert await node.refresh() is before
