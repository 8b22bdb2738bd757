"""What is said of the list: its age in four grades, lists that are held back, signatures that end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.app.checks.check_membership import check_frozen, check_list, check_signatures
from bridge.app.checks.check_node import Check
from bridge.app.watch_membership import WatchMembership
from bridge.core.directory import Directory
from bridge.core.freshness import Freshness, freshness_of
from bridge.ports.trust import PeerAhead

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def confirmed(age: timedelta, **given: object) -> Directory:
    return Directory("see", 5, NOW - age, contact_points={}, signing_keys={}, encryption_keys={}, **given)


@pytest.mark.parametrize(
    ("age", "grade", "said"),
    [
        (timedelta(0), Freshness.NORMAL, "last confirmed 0 s ago"),
        (2 * DAY - SECOND, Freshness.NORMAL, "last confirmed 47 h ago"),
        (2 * DAY, Freshness.ALARM, "marked from 2026-11-29T12:00:00.000Z on"),
        (7 * DAY - SECOND, Freshness.ALARM, "from 2027-01-01T12:00:01.000Z on everything that arrives is held"),
        (7 * DAY, Freshness.MARKED, "sending person-level kinds takes a second person"),
        (45 * DAY - SECOND, Freshness.MARKED, "from 2026-11-24T12:00:01.000Z on everything that arrives is held"),
        (45 * DAY, Freshness.HELD, "everything that arrives is held, nothing new is sent"),
    ],
)
def test_the_age_of_the_list_has_four_grades(age: timedelta, grade: Freshness, said: str) -> None:
    directory = confirmed(age)

    (check,) = check_list(directory, now=NOW, contact_points=())

    assert freshness_of(directory, NOW) is grade
    assert (check.ok, check.state) == ((True, "ok") if grade is Freshness.NORMAL else (False, "membership_old"))
    assert said in check.detail


def test_a_mirror_that_gives_nothing_is_named_with_the_reason() -> None:
    (check,) = check_list(confirmed(HOUR), now=NOW, contact_points=(), failures={"https://m.example": "silent for 5 s"})

    assert check.ok
    assert check.detail.endswith("; https://m.example: silent for 5 s")


@pytest.mark.parametrize(("version", "since", "ok"), [(6, HOUR - SECOND, True), (6, HOUR, False), (5, 9 * HOUR, True)])
def test_a_newer_list_of_a_peer_is_an_alarm_when_it_stays_away_for_an_hour(
    version: int, since: timedelta, *, ok: bool
) -> None:
    check = check_frozen(confirmed(HOUR), [PeerAhead("rs.ncp", version, NOW - since)], now=NOW)

    assert check.ok == ok
    if not ok:
        assert check.state == "membership_frozen"
        assert "version 5: rs.ncp uses version 6 since 2026-11-24T11:00:00.000Z" in check.detail
        assert check.detail.endswith("; claimed by one peer only")


def test_what_two_peers_claim_is_not_said_to_be_one_peers() -> None:
    ahead = [PeerAhead(peer, 6, NOW - HOUR) for peer in ("at.ncp", "rs.ncp")]

    assert "one peer only" not in check_frozen(confirmed(HOUR), ahead, now=NOW).detail


def test_signatures_of_the_network_and_our_own_are_to_be_renewed_others_are_not_ours() -> None:
    ends = {"root": 61 * DAY, "targets": 59 * DAY, "member-rs": 10 * DAY, "member-at": 20 * DAY, "revocations": DAY}
    directory = confirmed(HOUR, expiries={role: NOW + left for role, left in ends.items()})

    check = check_signatures(directory, now=NOW, contact_points=["at.ncp", "at.border-police"])

    assert (check.ok, check.state) == (False, "membership_signature_ends")
    named = [part.split()[0] for part in check.detail.removeprefix("to be signed anew: ").split(", ")]
    assert named == ["member-at", "revocations", "targets"]


class _Clock:
    moment = NOW

    def now(self) -> datetime:
        return self.moment


async def test_what_stands_against_the_list_is_logged_at_once_and_then_once_a_day(
    capsys: pytest.CaptureFixture[str],
) -> None:
    clock, found = _Clock(), [Check("membership list", ok=False, detail="old", state="membership_old")]
    watch = WatchMembership(lambda: found, clock)
    for _ in range(60):
        await watch.look()
        clock.moment += HOUR

    assert capsys.readouterr().out.count("membership.alarm") == 3
    found[0] = Check("membership list", ok=True, detail="fresh")
    await watch.look()
    await watch.look()
    assert capsys.readouterr().out.count("membership.mended") == 1
