"""The publisher's loop: relay what is due, sleep when nothing is, survive a broker that is away and any fault.

Nothing is claimed while there is no broker to publish to, or it blocks: rows that cannot go out are left alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from bridge.app.sending.relay_outbox import RelayOutbox
from bridge.core.errors import UnavailableError
from bridge.services.faults import log_fault
from bridge.services.states import ServiceState, StateNote
from bridge.services.stopping import Patience, Stopped, pause, unless_stopped

POLL_SECONDS: Final = 0.1
POLLS_OF_A_REST: Final = 10
LONGEST_PAUSE_SECONDS: Final = 2.0
FAULT_PAUSE_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 5.0  # for the confirms of a batch in flight; what is not confirmed by then is put back

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class RelayingService:
    """Relays one outbox until it is stopped.

    It polls, because other processes write into the outbox too; while nobody does, that costs next to nothing.

    Attributes:
        name: in logs: `publisher`, `subscriber outbox`.
        ready: called once, when it begins.
        broker_ready: waits a moment until the broker takes publishes; raises `UnavailableError` when it does not.
    """

    name: str
    relay: RelayOutbox
    ready: Callable[[str], None]
    broker_ready: Callable[[], Awaitable[None]]
    fault_pause_seconds: float = FAULT_PAUSE_SECONDS
    _note: StateNote = field(default_factory=lambda: StateNote("waiting_for_broker"), init=False, repr=False)

    @property
    def state(self) -> ServiceState:
        """What it does now."""
        return self._note.told(self.name)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a batch that was begun is finished, or put back when the broker does not answer."""
        self.ready(self.name)
        patience = Patience(POLL_SECONDS, LONGEST_PAUSE_SECONDS)
        try:
            while not stop.is_set():
                await pause(stop, await self._seconds_until_again(stop, patience))
        except Stopped:
            pass
        self._note.enter("stopped")
        _log.info("service.stopped", service=self.name)

    async def _seconds_until_again(self, stop: asyncio.Event, patience: Patience) -> float:
        """One batch; answers the pause before the next."""
        try:
            await unless_stopped(stop, self._broker_is_ready())
            settled = await unless_stopped(stop, self.relay.relay_once(), grace_seconds=GRACE_SECONDS)
        except UnavailableError as error:
            self._note.wait_for(self.name, error)
            return patience.next_pause_seconds()
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - the rows stay; whoever stops here sends nothing at all
            log_fault(self.name, error)
            self._note.enter("faulty", code="E_FAULT", detail=f"{type(error).__name__}, see the log")
            return self.fault_pause_seconds
        self._note.run(self.name)
        patience.reset()
        return 0.0 if settled else await self._rest(stop)

    async def _rest(self, stop: asyncio.Event) -> float:
        """Until something may be due, or it is time to see whether the broker is still there."""
        for _ in range(POLLS_OF_A_REST):
            await pause(stop, POLL_SECONDS)
            if not self.relay.rests():
                break
        return 0.0

    async def _broker_is_ready(self) -> None:
        await self.broker_ready()
