"""A list that is held back from a node, and a node or a secretariat that is away for a day, a week, two months."""

from __future__ import annotations

from datetime import timedelta

import pytest
from trust_network import FOUNDED, World, signing_key

from bridge.adapters.trust.membership.mirror import FolderMirror
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.app.checks.check_membership import check_frozen
from bridge.core.freshness import Freshness, freshness_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
KEY = "rs.ncp#sig-2026a"


@pytest.mark.parametrize(("days", "grade"), [(1, Freshness.NORMAL), (7, Freshness.MARKED), (60, Freshness.HELD)])
@pytest.mark.parametrize("restart", [False, True])
async def test_a_node_that_was_cut_off_catches_up_at_once(
    world: World, days: int, grade: Freshness, *, restart: bool
) -> None:
    # given
    frozen = world.keep_mirror("frozen")
    node = cut_off = TufTrustSource(
        [FolderMirror(frozen)], world.folder / "cache", world.pinned_root(), now=world.clock
    )
    await cut_off.refresh()
    world.clock.moment += timedelta(days=days)
    world.enrol(signing_key(KEY, use_until=world.clock() + timedelta(days=300)))

    # then
    assert freshness_of(await cut_off.refresh(), world.clock()) is grade

    # when
    if restart:
        node = TufTrustSource([FolderMirror(frozen)], world.folder / "cache", world.pinned_root(), now=world.clock)
        assert freshness_of(await node.refresh(), world.clock()) is grade
    world.put_mirror_at(frozen)

    # then
    directory = await node.refresh()
    assert (directory.version, directory.signed_at) == (2, world.clock())
    assert freshness_of(directory, world.clock()) is Freshness.NORMAL
    assert KEY in directory.signing_keys


async def test_a_secretariat_that_fell_silent_for_two_months_and_confirms_again_is_heard(world: World) -> None:
    node = world.node()
    grades = [freshness_of(await node.refresh(), world.clock())]
    for days in (3, 5, 40):
        world.clock.moment += timedelta(days=days)
        grades.append(freshness_of(await node.refresh(), world.clock()))
    world.confirm()
    grades.append(freshness_of(await node.refresh(), world.clock()))

    assert grades == [Freshness.NORMAL, Freshness.ALARM, Freshness.MARKED, Freshness.HELD, Freshness.NORMAL]


async def test_a_list_that_is_held_back_is_noticed_by_what_peers_use(world: World) -> None:
    node = world.node()
    await node.refresh()
    node.note_version("at.ncp", 3, sent=world.clock())
    world.clock.moment += HOUR
    node.note_version("at.ncp", 4, sent=world.clock())  # the first of them counts
    node.note_version("rs.ncp", 4, sent=world.clock())

    restarted = world.node()
    await restarted.refresh()

    for source in (node, restarted):
        assert [(one.peer, one.version, one.since) for one in source.ahead()] == [
            ("at.ncp", 3, FOUNDED),
            ("rs.ncp", 4, FOUNDED + HOUR),
        ]
    check = check_frozen(restarted.current(), restarted.ahead(), now=world.clock())
    assert not check.ok
    assert "at.ncp uses version 3" in check.detail
    assert "rs.ncp" not in check.detail


async def test_the_alarm_ends_when_the_list_is_here(world: World) -> None:
    node = world.node()
    await node.refresh()
    node.note_version("at.ncp", 2, sent=world.clock())
    node.note_version("rs.ncp", 3, sent=world.clock())
    world.enrol(signing_key(KEY))

    await node.refresh()

    assert [(one.peer, one.version) for one in node.ahead()] == [("rs.ncp", 3)]
    world.clock.moment += HOUR
    node.note_version("at.ncp", 3, sent=world.clock())
    assert [(one.peer, one.since) for one in node.ahead()] == [("rs.ncp", FOUNDED), ("at.ncp", FOUNDED + HOUR)]


@pytest.fixture
def frozen(world: World) -> TufTrustSource:
    """A node whose peer at.ncp once named a version that there never was."""
    node = world.node()
    node.current()
    node.note_version("at.ncp", 2**53 - 1, sent=world.clock())
    world.clock.moment += HOUR
    assert [one.peer for one in node.ahead()] == ["at.ncp"]
    return node


async def test_a_false_alarm_ends_when_the_peer_names_a_version_that_is_here(
    world: World, frozen: TufTrustSource
) -> None:
    frozen.note_version("at.ncp", 1, sent=world.clock())

    assert frozen.ahead() == []
    other_process = world.node()
    other_process.current()
    assert other_process.ahead() == []
    frozen.note_version("at.ncp", 2, sent=world.clock() + timedelta(seconds=1))
    assert [(one.version, one.since) for one in other_process.ahead()] == [(2, world.clock())]


async def test_an_older_message_of_the_peer_ends_no_alarm(frozen: TufTrustSource) -> None:
    frozen.note_version("at.ncp", 1, sent=FOUNDED - HOUR)  # delayed, or brought again by who holds the list back

    assert [one.peer for one in frozen.ahead()] == ["at.ncp"]


async def test_of_the_versions_that_a_peer_names_the_lowest_is_waited_for(world: World, frozen: TufTrustSource) -> None:
    frozen.note_version("at.ncp", 2, sent=world.clock())
    world.enrol(signing_key(KEY))

    await frozen.refresh()

    assert frozen.ahead() == []


@pytest.mark.parametrize("how", ["removed", "suspended"])
async def test_what_a_peer_said_that_is_out_is_no_alarm(world: World, frozen: TufTrustSource, how: str) -> None:
    if how == "removed":
        world.remove("at")
    else:
        world.revoke(suspend="at")

    await frozen.refresh()

    assert frozen.ahead() == []


async def test_an_alarm_ends_a_week_after_the_peer_last_said_so(world: World, frozen: TufTrustSource) -> None:
    world.clock.moment += 3 * DAY
    frozen.note_version("at.ncp", 2**53 - 1, sent=world.clock() + timedelta(days=9999))  # a moment to come is now
    world.clock.moment += 7 * DAY - HOUR
    assert [one.since for one in frozen.ahead()] == [FOUNDED]

    world.clock.moment += HOUR

    assert frozen.ahead() == []


async def test_a_damaged_note_of_peers_stops_nothing(world: World) -> None:
    node = world.node()
    await node.refresh()
    (world.folder / "cache" / "ahead.json").write_bytes(b"{")

    assert node.ahead() == []
    node.note_version("at.ncp", 2, sent=world.clock())
    assert [one.peer for one in node.ahead()] == ["at.ncp"]


async def test_the_list_says_until_when_its_signatures_hold(world: World) -> None:
    world.enrol(signing_key(KEY))

    expiries = (await world.node().refresh()).expiries

    days = {role: (expires - FOUNDED).days for role, expires in expiries.items()}
    assert days == {"root": 1095, "targets": 1095, "snapshot": 1095, "revocations": 3650, "member-rs": 730}
