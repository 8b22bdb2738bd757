"""Housekeeping: each chore keeps its own pace, and a failing one holds up no other."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bridge.core.errors import UnavailableError
from bridge.services.housekeeping import HousekeepingService


class Chore:
    """Counts its turns, fails on demand, and tells when it had as many as a test waits for."""

    def __init__(self, *, enough: int = 3, error: Exception | None = None) -> None:
        self.turns, self.enough, self.error = 0, enough, error
        self.done = asyncio.Event()

    async def turn(self) -> None:
        self.turns += 1
        if self.turns >= self.enough:
            self.done.set()
        if self.error is not None:
            raise self.error

    refresh = recheck = turn


async def run_until(service: HousekeepingService, done: asyncio.Event) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(service.run(stop))
    async with asyncio.timeout(3):
        await done.wait()
        stop.set()
        await running


async def test_what_is_held_is_judged_at_its_own_pace_however_seldom_the_list_is_looked_for() -> None:
    # given
    trust, recheck = Chore(), Chore()

    # when
    service = HousekeepingService(trust, recheck, refresh_seconds=86400, recheck_seconds=0.01)  # type: ignore[arg-type]
    await run_until(service, recheck.done)

    # then
    assert (recheck.turns >= 3, trust.turns) == (True, 0)


@pytest.mark.parametrize("error", [UnavailableError("E_TRUST_LIST", "no mirror"), ZeroDivisionError()])
async def test_a_list_that_cannot_be_refreshed_keeps_nothing_held(error: Exception) -> None:
    # given
    trust, recheck = Chore(error=error), Chore()

    # when
    service = HousekeepingService(trust, recheck, refresh_seconds=0.01, recheck_seconds=0.01)  # type: ignore[arg-type]
    await run_until(service, recheck.done)

    # then
    assert (recheck.turns >= 3, trust.turns >= 1) == (True, True)


async def test_a_process_that_receives_nothing_only_refreshes_the_list() -> None:
    # given
    trust = Chore()

    # when
    service = HousekeepingService(trust, None, refresh_seconds=0.01, recheck_seconds=0.01)  # type: ignore[arg-type]
    await run_until(service, trust.done)

    # then
    assert trust.turns >= 3


async def test_a_trouble_that_stays_is_not_told_at_every_turn() -> None:
    # given
    trust = Chore(enough=5, error=UnavailableError("E_TOKEN", "no token with this label is there"))

    # when
    service = HousekeepingService(trust, None, refresh_seconds=0.01, recheck_seconds=0.01)  # type: ignore[arg-type]
    with capture_logs() as told:
        await run_until(service, trust.done)

    # then
    assert [entry["code"] for entry in told] == ["E_TOKEN"]
