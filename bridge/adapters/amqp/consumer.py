"""Consumes several queues in an order of their own, urgent first, and settles each delivery exactly once.

The library's callback only puts deliveries aside; batches are handed out and settled from outside, so that the end of a
channel cancels nobody's work. Each queue has a channel of its own: acknowledging "all up to here" then never reaches
into another queue. Whatever ends one of the channels (the connection, a deleted queue, a lost permission) ends the
whole subscription at once. What was not settled by then comes again from the broker; settling it here does nothing.

It never rejects: what is refused is stored in quarantine first, and then acknowledged.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.amqp.subscription import Subscription
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Delivery

PREFETCH: Final = 64  # of at most 1 MiB each: what one queue may take of this memory; 200 are no faster
BATCH: Final = 100


class AmqpConsumer:
    """Implements `Consumer` on a session of its own.

    Args:
        queues: in the order in which they are served.
        prefetch: deliveries of one queue that may be unsettled here.
        batch: the most that `next_batch` hands out.
    """

    def __init__(
        self, session: AmqpSession, queues: Sequence[str], *, prefetch: int = PREFETCH, batch: int = BATCH
    ) -> None:
        self._session = session
        self._queues = tuple(queues)
        self._prefetch = prefetch
        self._batch = batch
        self._subscription: Subscription | None = None

    async def open(self) -> Subscription:
        """Subscribes to all queues, where that has not happened yet.

        Raises:
            UnavailableError: there is no connection, or a queue cannot be consumed.
        """
        if self._subscription is None:
            self._subscription = await Subscription.open(self._session, self._queues, prefetch=self._prefetch)
        return self._subscription

    async def next_batch(self) -> list[Delivery]:
        """Waits for at least one delivery and hands out what is there, at most the batch size, urgent queues first.

        It subscribes first where there is no subscription; a call after a loss therefore starts anew.

        Raises:
            UnavailableError: there is no connection, a queue cannot be consumed, or the subscription was lost.
        """
        subscription = await self.open()
        try:
            return await subscription.take(self._batch)
        except UnavailableError:
            await self.close()
            raise

    async def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Tells the broker that these are stored here; does nothing for those of a lost subscription."""
        if self._subscription is not None:
            await self._subscription.acknowledge(deliveries)

    async def give_back(self, deliveries: Iterable[Delivery]) -> None:
        """Returns these to their queues; does nothing for those of a lost subscription."""
        if self._subscription is not None:
            await self._subscription.give_back(deliveries)

    async def drain(self) -> None:
        """Stops deliveries and gives back what was not handed out; what was can still be settled."""
        if self._subscription is not None:
            await self._subscription.drain()

    async def close(self) -> None:
        """Ends the subscription; what is not settled comes again."""
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.close()


@asynccontextmanager
async def consuming(session: AmqpSession, queues: Sequence[str]) -> AsyncIterator[AmqpConsumer]:
    """A consumer that is subscribed; on leaving, what was not handed out goes back, what is unsettled comes again."""
    consumer = AmqpConsumer(session, queues)
    await consumer.open()
    try:
        yield consumer
    finally:
        await consumer.drain()
        await consumer.close()
