"""The publisher's loop: relay what is due, sleep when nothing is, survive a broker that is away and any fault."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import stamina
import structlog

from bridge.app.relay_outbox import RelayOutbox
from bridge.core.errors import UnavailableError
from bridge.services.faults import log_fault
from bridge.services.stopping import Stopped, pause

POLL_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 2.0  # a drain must not wait long for it
FAULT_PAUSE_SECONDS: Final = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RelayingService:
    """Relays one outbox until it is stopped. It polls, because other processes write into the outbox too."""

    name: str
    relay: RelayOutbox
    ready: Callable[[str], None]
    fault_pause_seconds: float = FAULT_PAUSE_SECONDS

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a batch that was begun is finished."""
        self.ready(self.name)
        try:
            while not stop.is_set():
                await self._relay(stop)
        except Stopped:
            pass
        _log.info("service.stopped", service=self.name)

    async def _relay(self, stop: asyncio.Event) -> None:
        try:
            confirmed = await self._patiently(stop)
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - the rows stay; whoever stops here sends nothing at all
            log_fault(self.name, error)
            await pause(stop, self.fault_pause_seconds)
        else:
            if confirmed == 0:
                await pause(stop, POLL_SECONDS)

    async def _patiently(self, stop: asyncio.Event) -> int:
        async for attempt in stamina.retry_context(
            on=UnavailableError, attempts=None, timeout=None, wait_initial=POLL_SECONDS, wait_max=LONGEST_PAUSE_SECONDS
        ):
            if stop.is_set():
                raise Stopped
            with attempt:
                return await self.relay.relay_once()
        return 0
