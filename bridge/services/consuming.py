"""The loop behind the subscriber and the contact point: take a batch, handle it, acknowledge it; survive every loss.

A batch is acknowledged only after its handler has returned, which means it is stored. When database or broker cannot be
reached, consuming stops instead of handing messages back in a loop; the broker keeps them.

A handler that fails for a reason nobody foresaw loses nothing and stops nobody: the batch is handled again message by
message, what still fails is left unsettled with the broker while the others go on, and is tried again after a pause.
After some minutes of that it is set aside.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import structlog

from bridge.app.receiving.outcomes import Outcome
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Consumer, Delivery
from bridge.services.faults import log_fault
from bridge.services.states import ServiceState, StateNote
from bridge.services.stopping import Patience, Stopped, pause, unless_stopped

Handle = Callable[[Sequence[Delivery]], Awaitable[list[Outcome]]]
OpenConsumer = Callable[[], AbstractAsyncContextManager[Consumer]]

LEAST_PAUSE_SECONDS: Final = 0.2
LONGEST_PAUSE_SECONDS: Final = 5.0
FAULT_PAUSE_SECONDS: Final = 30.0
MOST_TRIES: Final = 20  # ten minutes at this pace; a thousand deliveries would make a dead letter
MOST_REMEMBERED: Final = 1000
MOST_LEFT: Final = 30  # left with the broker at once: half of what a queue may have unsettled here
GRACE_SECONDS: Final = 12.0  # for a batch in work: a database's lock, a silent broker's deadline; then it comes again

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
        set_aside: keeps a message that could not be handled again and again, so that it can be acknowledged.
        fault_pause_seconds: until messages that could not be handled are tried again.
    """

    name: str
    open_consumer: OpenConsumer
    handle: Handle
    check: Callable[[], Awaitable[None]]
    ready: Callable[[str], None]
    set_aside: Callable[[Delivery, Exception], Awaitable[None]]
    fault_pause_seconds: float = FAULT_PAUSE_SECONDS
    _note: StateNote = field(default_factory=lambda: StateNote("waiting_for_database"), init=False, repr=False)
    _tries: dict[bytes, int] = field(default_factory=dict, init=False, repr=False)  # by the message's SHA-256

    @property
    def state(self) -> ServiceState:
        """What it does now."""
        return self._note.told(self.name)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; a batch that was begun is finished, or left to come again when that takes too long."""
        patience = Patience(LEAST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS)
        try:
            while not stop.is_set():
                await pause(stop, await self._seconds_until_again(stop, patience))
        except Stopped:
            pass
        self._note.enter("stopped")
        _log.info("service.stopped", service=self.name)

    async def _seconds_until_again(self, stop: asyncio.Event, patience: Patience) -> float:
        """One subscription, from looking for the database to its end; answers the pause before the next."""
        try:
            await unless_stopped(stop, self._check())
            async with AsyncExitStack() as stack:
                consumer = await unless_stopped(stop, stack.enter_async_context(self.open_consumer()))
                self._note.run(self.name)
                self.ready(self.name)
                again_at = await self._consume(consumer, stop, patience)
        except UnavailableError as error:
            self._note.wait_for(self.name, error)
            return patience.next_pause_seconds()
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - a service that ends takes the whole node with it
            log_fault(self.name, error)
            self._note.enter("faulty", code="E_FAULT", detail=f"{type(error).__name__}, see the log")
            return self.fault_pause_seconds
        return again_at - asyncio.get_running_loop().time()

    async def _check(self) -> None:
        await self.check()
        if self._note.state == "waiting_for_database":
            self._note.enter("waiting_for_broker")

    async def _consume(self, consumer: Consumer, stop: asyncio.Event, patience: Patience) -> float:
        """Consumes until what was left with the broker has to be tried again, and answers when that is."""
        left, again_at = 0, None
        begun_at = asyncio.get_running_loop().time()
        while again_at is None or left < MOST_LEFT:
            try:
                async with asyncio.timeout_at(again_at):
                    batch = await unless_stopped(stop, self._next_batch(consumer, begun_at, patience))
            except TimeoutError:
                break
            left += await unless_stopped(stop, self._settle(consumer, batch), grace_seconds=GRACE_SECONDS)
            patience.reset()
            if left and again_at is None:
                again_at = asyncio.get_running_loop().time() + self.fault_pause_seconds
        return again_at or 0.0

    async def _next_batch(self, consumer: Consumer, begun_at: float, patience: Patience) -> Sequence[Delivery]:
        try:
            return await consumer.next_batch()
        except UnavailableError:
            if asyncio.get_running_loop().time() - begun_at > LONGEST_PAUSE_SECONDS:
                patience.reset()  # it lasted: this is another trouble than the last
            raise

    async def _settle(self, consumer: Consumer, batch: Sequence[Delivery]) -> int:
        """Handles and acknowledges a batch; answers how many deliveries could not be handled."""
        try:
            outcomes = await self.handle(batch)
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the messages behind it
            if len(batch) > 1:
                return sum([await self._settle(consumer, [delivery]) for delivery in batch])
            log_fault(self.name, error, queue=batch[0].queue)
            return await self._leave(consumer, batch[0], error)
        await consumer.acknowledge(batch)
        for outcome, count in Counter(outcomes).items():
            if outcome not in (Outcome.ACCEPTED, Outcome.DUPLICATE):
                _log.warning("message.refused", service=self.name, outcome=outcome.value, count=count)
        return 0

    async def _leave(self, consumer: Consumer, delivery: Delivery, error: Exception) -> int:
        """Leaves it with the broker, and sets it aside once that has been done too often; answers how many are left."""
        digest = sha256(delivery.wire_bytes).digest()
        if len(self._tries) >= MOST_REMEMBERED:
            self._tries.clear()
        self._tries[digest] = tries = self._tries.get(digest, 0) + 1
        if tries < MOST_TRIES:
            return 1
        try:
            await self.set_aside(delivery, error)
        except UnavailableError:
            raise
        except Exception as fault:  # noqa: BLE001 - as above: it is left, and tried again
            log_fault(self.name, fault, queue=delivery.queue)
            return 1
        await consumer.acknowledge([delivery])
        del self._tries[digest]
        _log.error("message.set_aside", service=self.name, queue=delivery.queue, code="E_INTERNAL")
        return 0
