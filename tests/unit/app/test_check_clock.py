"""What the membership list and the database's server say about this machine's clock, and about the list's age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.app.checks.check_clock import TOLERANCE, check_clock
from bridge.app.checks.check_membership import check_list
from bridge.core.directory import LIST_ALARM_AGE, Directory

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def confirmed(signed_at: datetime) -> Directory:
    return Directory("test", version=3, signed_at=signed_at, contact_points={}, signing_keys={}, encryption_keys={})


@pytest.mark.parametrize(
    ("signed", "server", "state", "said"),
    [
        (-HOUR, None, "ok", "agrees with the membership list"),
        (TOLERANCE, None, "ok", "agrees with the membership list"),
        (5 * HOUR, None, "clock_behind", "this clock is 5 h behind the membership list"),
        (-HOUR, TOLERANCE, "ok", "agrees with the membership list and the database's server"),
        (-HOUR, TOLERANCE + SECOND, "clock_behind", "this clock is 2 min behind that of the database's server"),
        (-HOUR, -5 * HOUR, "clock_ahead", "this clock is 5 h ahead of that of the database's server"),
    ],
)
def test_the_clock_is_compared_with_others(signed: timedelta, server: timedelta | None, state: str, said: str) -> None:
    check = check_clock(confirmed(NOW + signed), now=NOW, server_time=None if server is None else NOW + server)

    assert (check.ok, check.state) == (state == "ok", state)
    assert check.detail.startswith(said)


@pytest.mark.parametrize(("age", "state"), [(LIST_ALARM_AGE - SECOND, "ok"), (LIST_ALARM_AGE, "membership_old")])
def test_a_list_that_nobody_confirms_any_more_is_named(age: timedelta, state: str) -> None:
    (check,) = check_list(confirmed(NOW - age), now=NOW, contact_points=())

    assert (check.ok, check.state) == (state == "ok", state)
