"""The runner and the other loops without a broker: ready, drained, hurried, and going on after a fault."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bridge.core.errors import UnavailableError
from bridge.services.housekeeping import HousekeepingService
from bridge.services.relaying import RelayingService
from bridge.services.runner import Readiness, run_services

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Stubborn:
    """Takes its time to stop."""

    seconds: float
    finished: bool = False

    async def run(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await asyncio.sleep(self.seconds)
        self.finished = True


async def send(*seconds: float) -> None:
    for pause in seconds:
        await asyncio.sleep(pause)
        os.kill(os.getpid(), signal.SIGTERM)


async def test_sigterm_waits_for_what_was_begun() -> None:
    service = Stubborn(0.1)
    async with asyncio.TaskGroup() as group:
        group.create_task(send(0.05))
        await run_services({"slow": service}, drain_seconds=5)
    assert service.finished


@pytest.mark.parametrize(("signals", "drain_seconds"), [((0.05, 0.05), 30.0), ((0.05,), 0.1)])
async def test_a_second_signal_or_the_end_of_its_patience_cuts_a_drain_short(
    signals: tuple[float, ...], drain_seconds: float
) -> None:
    # given
    service, begun = Stubborn(30), time.monotonic()

    # when
    async with asyncio.TaskGroup() as group:
        group.create_task(send(*signals))
        await run_services({"slow": service}, drain_seconds=drain_seconds)

    # then
    assert time.monotonic() - begun < 2
    assert not service.finished


async def test_a_service_that_ends_by_its_own_fault_stops_the_others_and_is_told() -> None:
    @dataclass
    class Broken:
        async def run(self, _: asyncio.Event) -> None:
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        await run_services({"broken": Broken(), "slow": Stubborn(30)}, drain_seconds=30)
    assert caught.group_contains(ZeroDivisionError)


def test_it_is_ready_once_all_are_and_says_so_once(tmp_path: Path) -> None:
    # given: a file of a process that is gone
    file = tmp_path / "ready"
    file.write_text("1\n")
    readiness = Readiness(file=file)
    assert not file.exists()
    for name in ("a", "b"):
        readiness.expect(name)

    # when
    with capture_logs() as logs:
        readiness.note("a")
        readiness.note("a")
        assert not file.exists()
        readiness.note("b")
        readiness.note("b")

    # then
    assert file.read_text() == f"{os.getpid()}\n"
    assert [line["event"] for line in logs] == ["service.ready"]


@dataclass
class Turns:
    """What a loop calls, turn by turn: an answer or an error; then nothing more is due."""

    turns: list[int | Exception]
    count: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def relay_once(self) -> int:
        self.count += 1
        turn = self.turns.pop(0) if self.turns else 0
        if not self.turns:
            self.done.set()
        if isinstance(turn, Exception):
            raise turn
        return turn

    def rests(self) -> bool:
        return False

    async def recheck(self) -> int:
        return await self.relay_once()


async def takes_all() -> None:
    """A broker that is ready."""


class Trust:
    async def refresh(self) -> None:
        return


async def stopped(run: Callable[[asyncio.Event], object], done: asyncio.Event) -> None:
    stop = asyncio.Event()
    task = asyncio.ensure_future(run(stop))  # type: ignore[arg-type, call-overload, var-annotated]
    async with asyncio.timeout(3):
        await done.wait()
        await asyncio.sleep(0.05)
        stop.set()
        await task


@pytest.mark.parametrize("error", [UnavailableError("E_BROKER_LOST", "lost"), ZeroDivisionError("a row's words")])
async def test_relaying_goes_on_after_an_error(error: Exception) -> None:
    # given
    relay = Turns([3, error, 2, 0])

    # when
    with capture_logs() as logs:
        service = RelayingService("publisher", relay, lambda _: None, takes_all, fault_pause_seconds=0.05)  # type: ignore[arg-type]
        await stopped(service.run, relay.done)

    # then
    assert relay.turns == []
    assert "a row's words" not in str(logs)


async def test_housekeeping_goes_on_after_an_error() -> None:
    # given
    recheck = Turns([UnavailableError("E_DATABASE", "away"), ZeroDivisionError(), 0, 0])

    # when
    service = HousekeepingService(Trust(), recheck, refresh_seconds=0.01, recheck_seconds=0.01)  # type: ignore[arg-type]
    await stopped(service.run, recheck.done)

    # then
    assert recheck.count >= 4
