"""What must happen now and then: refresh the membership list, verify held messages again, and a role's chores."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from bridge.app.receiving.recheck_held import RecheckHeld
from bridge.core.errors import UnavailableError
from bridge.ports.trust import TrustSource
from bridge.services.faults import log_fault
from bridge.services.stopping import Stopped, pause

TELL_AGAIN_SECONDS: Final = 60.0  # of a trouble that stays; some chores come every second

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done every `seconds`."""

    seconds: float
    run: Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class HousekeepingService:
    """Runs each chore at its own pace; one that cannot be done now is tried again the next time, and holds up no other.

    Attributes:
        recheck: `None` in a process that receives nothing.
        refresh_seconds: between two looks for a newer membership list.
        recheck_seconds: between two judgements of what is held, however seldom the list is looked for: what is ahead of
            the clock waits for no list.
        chores: whatever else this process is to do, each as often as it says.
    """

    trust: TrustSource
    recheck: RecheckHeld | None
    refresh_seconds: float
    recheck_seconds: float
    chores: Sequence[Chore] = ()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_repeat(stop, self.refresh_seconds, self.trust.refresh))
            if self.recheck is not None:
                group.create_task(_repeat(stop, self.recheck_seconds, self.recheck.recheck))
            for chore in self.chores:
                group.create_task(_repeat(stop, chore.seconds, chore.run))


async def _repeat(stop: asyncio.Event, seconds: float, chore: Callable[[], Awaitable[object]]) -> None:
    told, told_at = "", 0.0
    try:
        while not stop.is_set():
            await pause(stop, seconds)
            try:
                await chore()
                told = ""
            except UnavailableError as error:
                now = asyncio.get_running_loop().time()
                if error.code != told or now - told_at >= TELL_AGAIN_SECONDS:
                    _log.warning("housekeeping.unavailable", code=error.code, detail=error.message)
                    told, told_at = error.code, now
            except Exception as error:  # noqa: BLE001 - an old membership list is worse than a noisy log
                log_fault("housekeeper", error)
    except Stopped:
        pass
