"""Publishes batches: persistent, mandatory, confirmed, in few socket writes on one long-lived channel.

The client library writes and waits message by message; here a batch is marshalled together and its confirms are
awaited together, which costs a fraction. The library's own bookkeeping of confirms and returns is used as it is: one
future for each delivery tag, and returns found by `message_id`. That is why `message_id` is the outbox row's id: two
publishes in flight under one id would take each other's return.

A publish that is not confirmed in time is unknown, never undelivered: the row goes out again, the receiver absorbs it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

import aiormq.exceptions
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel

from bridge.adapters.amqp.parcels import Parcel, marshal, portions
from bridge.adapters.amqp.session import AmqpSession
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Publication, PublishOutcome

UNBLOCK_SECONDS: Final = 1.0
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
        self._is_spent = False
        self._nacks = 0
        self._publishing = asyncio.Lock()

    async def publish(self, batch: Sequence[Publication]) -> list[PublishOutcome]:
        """One outcome for each publication, in order; writing and waiting for confirms take a deadline each.

        A publication that makes the broker close the channel (no such exchange, no permission) takes those written
        beside it down. They are then published one by one, so that only the culprit is refused, and holds up nobody.
        One that cannot be put into frames at all is refused here.

        Raises:
            UnavailableError: there is no connection, or the broker blocks publishers; nothing was written.
        """
        if not batch:
            return []
        async with self._publishing:
            try:
                outcomes, refused = await self._publish(batch)
                if refused:
                    await self._publish_each(batch, outcomes)
            except asyncio.CancelledError:
                self._is_spent = True  # what was written may still be answered
                raise
            return outcomes

    async def ready(self) -> None:
        """Waits a moment until publishing is possible.

        Raises:
            UnavailableError: why it is not; `E_BROKER_BLOCKED` while the broker takes no messages.
        """
        await self._session.until_publishable(seconds=UNBLOCK_SECONDS)

    async def _publish_each(self, batch: Sequence[Publication], outcomes: list[PublishOutcome]) -> None:
        """Publishes again, one by one, what went down with another; stops where the broker no longer answers."""
        for index, outcome in enumerate(outcomes):
            if outcome is not PublishOutcome.UNKNOWN:
                continue
            try:
                (alone,), refused = await self._publish([batch[index]])
            except UnavailableError:
                return
            outcomes[index] = PublishOutcome.REFUSED if refused else alone
            if outcomes[index] is PublishOutcome.UNKNOWN:
                return

    async def _publish(self, batch: Sequence[Publication]) -> tuple[list[PublishOutcome], bool]:
        """The outcomes, and whether the broker closed the channel because of one of them."""
        channel = await self._open_channel()
        marshalled = [marshal(publication, channel) for publication in batch]
        parcels = [parcel for parcel in marshalled if parcel is not None]
        confirmations = await self._send(channel, parcels) if parcels else []
        results = [_outcome(confirmation) for confirmation in confirmations]
        self._judge_channel(results)
        told = iter(results + [PublishOutcome.UNKNOWN] * (len(parcels) - len(results)))
        outcomes = [PublishOutcome.REFUSED if parcel is None else next(told) for parcel in marshalled]
        return outcomes, any(_closed_by_refusal(confirmation) for confirmation in confirmations)

    async def _send(self, channel: Channel, parcels: Sequence[Parcel]) -> list[Confirmation]:
        """Writes the parcels and waits for their confirms; a future for each that was written."""
        confirmations = await self._write(channel, parcels)
        try:
            _, pending = await asyncio.wait(confirmations, timeout=self._session.deadline_seconds)
        finally:
            for parcel in parcels:
                channel.message_id_delivery_tag.pop(parcel.row_id, None)
        for confirmation in pending:
            confirmation.cancel()
        return confirmations

    def _judge_channel(self, results: Sequence[PublishOutcome]) -> None:
        for result in results:
            self._nacks = self._nacks + 1 if result is PublishOutcome.REFUSED else 0
        # What is still to come for a publish given up must not meet the next publish of the same row.
        self._is_spent = PublishOutcome.UNKNOWN in results or self._nacks >= NACKS_BEFORE_NEW_CHANNEL

    async def _open_channel(self) -> Channel:
        channel = self._channel
        if channel is not None and not channel.is_closed:
            await self._session.until_publishable(seconds=UNBLOCK_SECONDS)  # what is not read would pile up here
            if self._is_spent and not channel.is_closed:
                async with self._session.calling():
                    await channel.close()
        if channel is None or channel.is_closed:
            self._nacks, self._is_spent = 0, False
            channel = self._channel = await self._session.open_channel(confirms=True)
        return channel

    async def _write(self, channel: Channel, parcels: Sequence[Parcel]) -> list[Confirmation]:
        """Writes as many as go out, and gives a future for each of these."""
        confirmations: list[Confirmation] = []
        try:
            async with self._session.calling():
                for portion in portions(parcels):
                    drained = channel.create_future()
                    frames_bytes = b"".join(parcel.frames_bytes for parcel in portion)
                    write = ChannelFrame(frames_bytes, should_close=False, drain_future=drained)
                    async with channel.lock:
                        await channel.write_queue.put(write)
                        # Nothing else runs between here and the end of the loop: broker and channel count alike.
                        for parcel in portion:
                            channel.delivery_tag += 1
                            confirmation = channel.create_future()
                            channel.confirmations[channel.delivery_tag] = confirmation
                            channel.message_id_delivery_tag[parcel.row_id] = channel.delivery_tag
                            confirmations.append(confirmation)
                    await drained  # a broker that reads slowly slows us down, instead of filling our memory
        except UnavailableError:
            if not confirmations:
                raise
        return confirmations


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
