"""One subscription to several queues: lives until the first of its channels ends, and is then replaced by another.

Deliveries are numbered here, across queues and for the life of the process: after a reconnect the broker's own tags
begin again at 1, and an old delivery must not settle a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from aiormq.abc import DeliveredMessage
from aiormq.channel import Channel
from pamqp.commands import Basic

from bridge.adapters.amqp.session import AmqpSession
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.core.verification.hints import Hints
from bridge.ports.broker import Delivery

PARTING_SECONDS: Final = 1.5  # a broker that does not answer must not keep anybody from stopping
COPY_HEADERS: Final = frozenset({"CC", "BCC"})
_numbers = itertools.count(1)


@dataclass
class _Lane:
    """One queue: its channel, what waits to be handed out, and the broker's tags of what is not settled, in order."""

    queue: str
    channel: Channel
    consumer_tag: str = ""
    waiting: deque[Delivery] = field(default_factory=deque)
    unsettled: dict[int, int] = field(default_factory=dict)

    def settle(self, deliveries: Iterable[Delivery]) -> list[tuple[int, bool]]:
        """Forgets these deliveries and gives the broker's tags to settle, and whether each means all before it, too.

        The longest run at the front goes as one; what was settled before or belongs to another lane is left out.
        """
        wanted = {delivery.tag for delivery in deliveries} & self.unsettled.keys()
        run = list(itertools.takewhile(wanted.__contains__, self.unsettled))
        tags = [(self.unsettled[run[-1]], True)] if run else []
        tags += [(self.unsettled[number], False) for number in sorted(wanted.difference(run))]
        for number in wanted:
            del self.unsettled[number]
        return tags


class Subscription:
    """Consumers on several queues; made by `open`."""

    def __init__(self, session: AmqpSession) -> None:
        self._session = session
        self._lanes: list[_Lane] = []
        self._changed = asyncio.Event()
        self._failure: UnavailableError | None = None

    @classmethod
    async def open(cls, session: AmqpSession, queues: Sequence[str], *, prefetch: int) -> Self:
        """Subscribes to all queues or to none.

        Raises:
            UnavailableError: there is no connection, or a queue is missing or may not be read.
        """
        subscription = cls(session)
        try:
            for queue in queues:
                await subscription._consume(queue, prefetch)
        except BaseException:
            await subscription.close()
            raise
        return subscription

    async def take(self, most: int) -> list[Delivery]:
        """Waits for a delivery; then what is there, in the order of the queues.

        Raises:
            UnavailableError: a channel has ended, and with it the subscription.
        """
        await self._changed.wait()
        if self._failure is not None:
            raise self._failure
        taken = list(itertools.islice(self._waiting(), most))
        if not any(lane.waiting for lane in self._lanes):
            self._changed.clear()
        return taken

    async def acknowledge(self, deliveries: Iterable[Delivery]) -> None:
        """Acknowledges with as few frames as their order allows; a fault ends the subscription."""
        for lane, tag, multiple in self._settlements(deliveries):
            with self._ending_on_failure():
                async with self._session.calling():
                    await lane.channel.basic_ack(tag, multiple=multiple, wait=False)

    async def give_back(self, deliveries: Iterable[Delivery]) -> None:
        """Returns deliveries to their queues; a fault ends the subscription."""
        for lane, tag, multiple in self._settlements(deliveries):
            with self._ending_on_failure():
                async with self._session.calling():
                    await lane.channel.basic_nack(tag, multiple=multiple, requeue=True, wait=False)

    async def drain(self) -> None:
        """Cancels the consumers, then gives back what waits; what was handed out can still be settled."""
        if self._failure is None:
            with self._ending_on_failure():
                async with self._session.calling(seconds=PARTING_SECONDS):
                    await asyncio.gather(*(lane.channel.basic_cancel(lane.consumer_tag) for lane in self._lanes))
        await self.give_back(list(self._waiting()))
        if self._failure is None:
            self._changed.clear()

    async def close(self) -> None:
        """Closes the channels; the broker delivers again what was not settled."""
        self._fail(UnavailableError("E_BROKER_LOST", "the subscription was closed"))
        with contextlib.suppress(UnavailableError):
            async with self._session.calling(seconds=PARTING_SECONDS):
                await asyncio.gather(*(lane.channel.close() for lane in self._lanes))

    async def _consume(self, queue: str, prefetch: int) -> None:
        lane = _Lane(queue, await self._session.open_channel(confirms=False))
        self._lanes.append(lane)
        lane.channel.closing.add_done_callback(self._on_channel_end)
        lane.channel.on_consumer_cancel_callbacks.add(functools.partial(self._on_consumer_cancel, queue))
        try:
            async with self._session.calling():
                await lane.channel.basic_qos(prefetch_count=prefetch)
                consuming = await lane.channel.basic_consume(queue, functools.partial(self._on_delivery, lane))
        except UnavailableError as error:
            await self._name_what_is_silent(queue, error)
            raise
        lane.consumer_tag = consuming.consumer_tag or ""

    async def _name_what_is_silent(self, queue: str, error: UnavailableError) -> None:
        """Raises where the broker answers and only this queue does not.

        A broker that was killed within half a second of making a quorum queue can come back with the queue's name and
        without the queue: it is listed as running, and nothing that is asked of it is ever answered.
        """
        if not isinstance(error.__cause__, TimeoutError):
            return
        await (await self._session.open_channel(confirms=False)).close()
        told = f"the broker answers, but its queue {queue} does not: it has no leader now, or was lost in a crash"
        raise UnavailableError("E_BROKER_MISSING", told) from error

    async def _on_delivery(self, lane: _Lane, message: DeliveredMessage) -> None:
        delivery = _delivery(lane.queue, message)
        lane.unsettled[delivery.tag] = message.delivery_tag or 0
        lane.waiting.append(delivery)
        self._changed.set()

    def _on_channel_end(self, closing: asyncio.Future[object]) -> None:
        self._fail(self._session.unavailable(None if closing.cancelled() else closing.exception()))

    def _on_consumer_cancel(self, queue: str, _: Basic.Cancel) -> None:
        self._fail(
            UnavailableError("E_BROKER_MISSING", f"the broker ended the consumer of {queue}: is the queue gone?")
        )

    def _fail(self, failure: UnavailableError) -> None:
        self._failure = self._failure or failure
        self._changed.set()

    @contextlib.contextmanager
    def _ending_on_failure(self) -> Iterator[None]:
        try:
            yield
        except UnavailableError as error:
            self._fail(error)

    def _waiting(self) -> Iterator[Delivery]:
        for lane in self._lanes:
            while lane.waiting:
                yield lane.waiting.popleft()

    def _settlements(self, deliveries: Iterable[Delivery]) -> list[tuple[_Lane, int, bool]]:
        if self._failure is not None:
            return []
        wanted = list(deliveries)
        return [(lane, tag, multiple) for lane in self._lanes for tag, multiple in lane.settle(wanted)]


def _delivery(queue: str, message: DeliveredMessage) -> Delivery:
    properties = message.header.properties
    return Delivery(
        tag=next(_numbers),
        queue=queue,
        wire_bytes=message.body,
        hints=Hints(
            correlation_id=properties.correlation_id,
            type=properties.message_type,
            app_id=properties.app_id,
            routing_key=(message.routing_key or "") if names.key_names_sender(queue) else None,
            user_id=properties.user_id,
            copied=not COPY_HEADERS.isdisjoint(properties.headers or {}),
        ),
        redelivered=bool(message.redelivered),
    )
