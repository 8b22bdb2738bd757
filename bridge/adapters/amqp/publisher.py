"""Publishes batches: persistent, mandatory, confirmed, in few socket writes on one long-lived channel.

The client library writes and waits message by message; here a batch is marshalled together and its confirms are
awaited together, which costs a fraction. The library's own bookkeeping of confirms and returns is used as it is: one
future for each delivery tag, and returns found by `message_id`. That is why `message_id` is the outbox row's id: two
publishes in flight under one id would take each other's return.

A publish that is not confirmed in time is unknown, never undelivered: the row goes out again, the receiver absorbs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

import aiormq.exceptions
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.header import ContentHeader

from bridge.adapters.amqp.session import AmqpSession
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Publication, PublishOutcome

CONTENT_TYPE: Final = "application/jose+json"
PERSISTENT: Final = 2
WRITE_MESSAGES: Final = 25
WRITE_BYTES: Final = 256 * 1024
# After the loss of a queue's leader (3.10) a channel may be nacked for ever; a new one is not.
NACKS_BEFORE_NEW_CHANNEL: Final = 3
REFUSALS: Final = (
    aiormq.exceptions.ChannelAccessRefused,
    aiormq.exceptions.ChannelNotFoundEntity,
    aiormq.exceptions.ChannelPreconditionFailed,
)

Confirmation = asyncio.Future[object]


class AmqpPublisher:
    """Implements `Publisher` on a session of its own."""

    def __init__(self, session: AmqpSession) -> None:
        self._session = session
        self._channel: Channel | None = None
        self._nacks = 0
        self._publishing = asyncio.Lock()

    async def publish(self, batch: Sequence[Publication]) -> list[PublishOutcome]:
        """One outcome for each publication, in order; waits for confirms at most the session's deadline.

        A publication that makes the broker close the channel (no such exchange, no permission) takes those written
        beside it down. They are then published one by one, so that only the culprit is refused, and holds up nobody.

        Raises:
            UnavailableError: there is no connection, and nothing was written.
        """
        if not batch:
            return []
        async with self._publishing:
            outcomes, refused = await self._publish(batch)
            if refused:
                for index, outcome in enumerate(outcomes):
                    if outcome is PublishOutcome.UNKNOWN:
                        outcomes[index] = await self._publish_alone(batch[index])
            return outcomes

    async def _publish_alone(self, publication: Publication) -> PublishOutcome:
        try:
            (outcome,), refused = await self._publish([publication])
        except UnavailableError:
            return PublishOutcome.UNKNOWN
        return PublishOutcome.REFUSED if refused else outcome

    async def _publish(self, batch: Sequence[Publication]) -> tuple[list[PublishOutcome], bool]:
        """The outcomes, and whether the broker closed the channel because of one of them."""
        channel = await self._open_channel()
        confirmations = await self._write(channel, batch)
        try:
            _, pending = await asyncio.wait(confirmations, timeout=self._session.deadline_seconds)
        finally:
            for publication in batch:
                channel.message_id_delivery_tag.pop(publication.row_id, None)
        for confirmation in pending:
            confirmation.cancel()
        outcomes = [_outcome(confirmation) for confirmation in confirmations]
        for outcome in outcomes:
            self._nacks = self._nacks + 1 if outcome is PublishOutcome.REFUSED else 0
        unwritten = [PublishOutcome.UNKNOWN] * (len(batch) - len(confirmations))
        return outcomes + unwritten, any(_closed_by_refusal(confirmation) for confirmation in confirmations)

    async def _open_channel(self) -> Channel:
        channel = self._channel
        if channel is not None and self._nacks >= NACKS_BEFORE_NEW_CHANNEL:
            async with self._session.calling():
                await channel.close()
        if channel is None or channel.is_closed:
            self._nacks = 0
            channel = self._channel = await self._session.open_channel(confirms=True)
        return channel

    async def _write(self, channel: Channel, batch: Sequence[Publication]) -> list[Confirmation]:
        """Writes as many as go out, and gives a future for each of these."""
        confirmations: list[Confirmation] = []
        try:
            for portion in _portions(batch):
                frames = [frame for publication in portion for frame in _frames(publication, channel.max_content_size)]
                async with self._session.calling(), channel.lock:
                    await channel.write_queue.put(ChannelFrame.marshall(channel.number, frames))
                    # Nothing else runs between here and the end of the loop: broker and channel count alike.
                    for publication in portion:
                        channel.delivery_tag += 1
                        confirmation = channel.create_future()
                        channel.confirmations[channel.delivery_tag] = confirmation
                        channel.message_id_delivery_tag[publication.row_id] = channel.delivery_tag
                        confirmations.append(confirmation)
        except UnavailableError:
            if not confirmations:
                raise
        return confirmations


def _portions(batch: Sequence[Publication]) -> Iterator[list[Publication]]:
    """What goes out in one write: bounded in number and, for large messages, in bytes."""
    portion: list[Publication] = []
    size = 0
    for publication in batch:
        if portion and (len(portion) == WRITE_MESSAGES or size + len(publication.wire_bytes) > WRITE_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(publication)
        size += len(publication.wire_bytes)
    yield portion


def _frames(publication: Publication, max_content_size: int) -> Iterator[Basic.Publish | ContentHeader | ContentBody]:
    """The frames of one publish; the properties are those of the wire format (AMQP)."""
    wire_bytes = publication.wire_bytes
    yield Basic.Publish(exchange=publication.exchange, routing_key=publication.routing_key, mandatory=True)
    yield ContentHeader(
        body_size=len(wire_bytes),
        properties=Basic.Properties(
            content_type=CONTENT_TYPE,
            delivery_mode=PERSISTENT,
            correlation_id=publication.message_id,
            message_id=publication.row_id,
            message_type=publication.kind,
            app_id=publication.sender,
            timestamp=publication.sent,
        ),
    )
    for start in range(0, len(wire_bytes), max_content_size):
        yield ContentBody(wire_bytes[start : start + max_content_size])


def _outcome(confirmation: Confirmation) -> PublishOutcome:
    if confirmation.cancelled():
        return PublishOutcome.UNKNOWN
    match confirmation.exception():
        case None:
            return PublishOutcome.CONFIRMED
        case aiormq.exceptions.PublishError():
            return PublishOutcome.UNROUTABLE
        case aiormq.exceptions.DeliveryError():
            return PublishOutcome.REFUSED
        case _:
            return PublishOutcome.UNKNOWN


def _closed_by_refusal(confirmation: Confirmation) -> bool:
    return not confirmation.cancelled() and isinstance(confirmation.exception(), REFUSALS)
