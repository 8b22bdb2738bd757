"""What must happen now and then: refresh the membership list, verify held messages again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog

from bridge.app.recheck_held import RecheckHeld
from bridge.core.errors import UnavailableError
from bridge.ports.trust import TrustSource
from bridge.services.faults import log_fault
from bridge.services.stopping import Stopped, pause

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HousekeepingService:
    """Runs its chores every `seconds`; a chore that cannot be done now is tried again the next time.

    Attributes:
        recheck: `None` in a process that receives nothing.
    """

    trust: TrustSource
    recheck: RecheckHeld | None
    seconds: float

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set."""
        try:
            while not stop.is_set():
                await pause(stop, self.seconds)
                try:
                    await self.trust.refresh()
                    if self.recheck is not None:
                        await self.recheck.recheck()
                except UnavailableError as error:
                    _log.warning("housekeeping.unavailable", code=error.code, detail=error.message)
                except Exception as error:  # noqa: BLE001 - an old membership list is worse than a noisy log
                    log_fault("housekeeper", error)
        except Stopped:
            pass
