"""The loop behind the subscriber and the contact point: take a batch, handle it, acknowledge it; survive every loss.

A batch is acknowledged only after its handler has returned, which means it is stored. When database or broker cannot be
reached, consuming stops instead of handing messages back in a loop; the broker keeps them.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final

import stamina
import structlog

from bridge.app.outcomes import Outcome
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Consumer, Delivery
from bridge.services.stopping import Stopped, pause, unless_stopped

Handle = Callable[[Sequence[Delivery]], Awaitable[list[Outcome]]]
OpenConsumer = Callable[[], AbstractAsyncContextManager[Consumer]]

LEAST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ConsumingService:
    """Consumes for one router or one contact point.

    Attributes:
        name: in logs: `subscriber rs`, `contact-point rs.ncp`.
        open_consumer: connects and begins to consume.
        handle: one use case over a batch.
        check: raises `UnavailableError` while the database is away.
        ready: called each time consuming has begun.
    """

    name: str
    open_consumer: OpenConsumer
    handle: Handle
    check: Callable[[], Awaitable[None]]
    ready: Callable[[str], None]

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a batch that was begun is finished."""
        try:
            while not stop.is_set():
                await unless_stopped(stop, self._until_available())
                try:
                    async with self.open_consumer() as consumer:
                        self.ready(self.name)
                        await self._consume(consumer, stop)
                except UnavailableError as error:
                    _log.warning("service.unavailable", service=self.name, code=error.code, detail=error.message)
                    await pause(stop, LEAST_PAUSE_SECONDS)
        except Stopped:
            pass
        _log.info("service.stopped", service=self.name)

    async def _until_available(self) -> None:
        async for attempt in stamina.retry_context(
            on=UnavailableError,
            attempts=None,
            timeout=None,
            wait_initial=LEAST_PAUSE_SECONDS,
            wait_max=LONGEST_PAUSE_SECONDS,
        ):
            with attempt:
                await self.check()

    async def _consume(self, consumer: Consumer, stop: asyncio.Event) -> None:
        while True:
            batch = await unless_stopped(stop, consumer.next_batch())
            outcomes = await self.handle(batch)
            await consumer.acknowledge(batch)
            for outcome, count in Counter(outcomes).items():
                if outcome not in (Outcome.ACCEPTED, Outcome.DUPLICATE):
                    _log.warning("message.refused", service=self.name, outcome=outcome.value, count=count)
