"""What a notice carries: enough for whoever has the version that it continues, in few bytes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest
from trust_network import World, contact_point, signing_key

from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.node.notice_files import changes_of
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.app.sending.send_notice import fits
from bridge.core.list_files import TIMESTAMP_FILE
from bridge.core.messages.directory_notice import MAX_FILES, MAX_UNPACKED_BYTES, pack_files, unpack_files
from bridge.ports.list_changes import ListChanges


def changes(world: World, at_most: int | None = None) -> ListChanges:
    def fit(files: Mapping[str, bytes]) -> bool:
        return at_most is None or len(files) <= at_most

    return changes_of(world.mirror, world.repository.verified(at=world.clock()), fits=fit)


def cut_off_node(world: World) -> TufTrustSource:
    """A node that has a copy of the mirror as it is now, and gets nothing from anywhere but through the bridge."""
    kept = world.keep_mirror(f"copy-{world.clock():%d%H%M}")
    return TufTrustSource(
        [FolderMirror(kept)],
        world.folder / "cache",
        world.pinned_root(),
        received=world.folder / "received",
        now=world.clock,
    )


async def test_a_small_network_goes_whole_into_a_notice(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    found = changes(world)
    stranger = TufTrustSource([], world.folder / "other", world.pinned_root(), received=world.folder / "r")

    await TufTrustSource.take(stranger, found.files)

    assert found.since == 0
    assert fits(found.files)
    assert stranger.current().version == 2


async def test_where_not_everything_fits_the_last_changes_do(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    node = cut_off_node(world)
    await node.refresh()
    world.enrol(signing_key("at.ncp#sig-2026a"))
    world.revoke("rs.ncp#sig-2026a")

    found = changes(world, at_most=8)

    assert (found.version, found.since) == (4, 2)
    await node.take(found.files)
    assert node.current().version == 4
    assert node.current().signing_keys["rs.ncp#sig-2026a"].revoked_at is not None
    assert "at.ncp#sig-2026a" in node.current().signing_keys


async def test_files_that_continue_a_version_which_is_not_here_change_nothing(world: World) -> None:
    node = cut_off_node(world)
    before = await node.refresh()
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    world.enrol(signing_key("at.ncp#sig-2026a"))
    world.revoke("rs.ncp#sig-2026a")

    await node.take(changes(world, at_most=5).files)

    assert node.current() is before


def test_where_not_even_the_last_change_fits_there_are_no_files(world: World) -> None:
    world.enrol(signing_key("rs.ncp#sig-2026a"))

    found = changes(world, at_most=1)

    assert (found.files, found.since, found.version) == ({}, 2, 2)


def test_what_changed_is_told_in_codes(world: World) -> None:
    assert ("contact_point_added", "rs.ncp") in changes(world).changes
    world.enrol(signing_key("rs.ncp#sig-2026a"))
    assert changes(world).changes == (("keys_changed", "rs"),)
    world.revise(contact_point("hu.ncp", country="AT", id="at.police"))
    assert changes(world).changes == (("contact_point_added", "at.police"), ("network_changed", None))
    world.revise(contact_point("at.police", languages=("de",)))
    assert changes(world).changes == (("contact_point_changed", "at.police"),)
    world.revoke("rs.ncp#sig-2026a")
    assert changes(world).changes == (("revocations_changed", None),)
    world.remove("rs")
    assert changes(world).changes == (("contact_point_removed", "rs.ncp"), ("network_changed", None))


def test_a_confirmed_list_brings_its_new_timestamp(world: World) -> None:
    world.clock.moment += timedelta(hours=6)
    world.confirm()

    assert changes(world).files["metadata/timestamp.json"] == (world.metadata / "timestamp.json").read_bytes()


@pytest.mark.parametrize(
    "packed",
    [
        "AAAA",
        "eNo=",
        pack_files({"a": b"b"})[:-4],
        pack_files({TIMESTAMP_FILE: b" " * (MAX_UNPACKED_BYTES + 1)}),
        "eNqLVnAFAAGJAO4",
        pack_files({}),
        pack_files({"metadata/2.snapshot.json": b"{}"}),
        pack_files({TIMESTAMP_FILE: b"{}", "metadata/../../outside.json": b"{}"}),
        pack_files({TIMESTAMP_FILE: b"{}", "targets/keys/x.rs.json": b"{}"}),
        pack_files({TIMESTAMP_FILE: b"{}"} | {f"metadata/{number}.root.json": b"" for number in range(MAX_FILES)}),
    ],
)
def test_what_is_not_packed_files_is_refused(packed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says another thing
        unpack_files(packed)


def test_no_more_files_are_sent_than_are_taken() -> None:
    files = {TIMESTAMP_FILE: b""} | {f"metadata/{number}.root.json": b"" for number in range(MAX_FILES - 1)}

    assert fits(files)
    assert len(unpack_files(pack_files(files))) == MAX_FILES
    assert not fits({**files, "metadata/99999.root.json": b""})


def test_packed_files_come_out_as_they_went_in() -> None:
    files = {"metadata/timestamp.json": b'{"a": "\xc5\xa1"}', f"targets/keys/{'0a' * 32}.rs.json": b""}

    assert unpack_files(pack_files(files)) == files
