"""What was exchanged with one member. It reads that member's rows, and not everything that was ever sent or received.

Its contact points are found by stepping through the index over recipients, and what came from them through the book of
signed numbers, which every message has passed: neither the ledger nor the inbox has an index by the other side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, and_, case, func, or_, select

from bridge.adapters.store.tables import inbox, message, recipient, sequence_number, sequence_stream, wire
from bridge.adapters.store.transaction import Transaction
from bridge.core.ids import prefix_of
from bridge.ports.store.exposures import Exposed, KindReceived, KindSent, ReceivedThence, SentThere
from bridge.ports.store.records import PUBLISH_UNKNOWN

# A refusal is a receipt, too.
_LEFT_US: Final = or_(
    recipient.c.sent_at.is_not(None), recipient.c.delivered_at.is_not(None), recipient.c.state == "rejected"
)
_MAY_HAVE_LEFT_US: Final = recipient.c.code == PUBLISH_UNKNOWN


class SqlExposures:
    """Implements `bridge.ports.store.exposures.Exposures`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def of_member(self, prefix: str, *, limit: int) -> Exposed:
        """What was exchanged with the contact points of a prefix, at most so many messages of each direction."""
        recipients = [one for one in await self._recipients() if prefix_of(one) == prefix]
        streams = await self._streams(prefix)
        return Exposed(
            kinds_sent=await self._kinds_sent(recipients),
            sent=await self._sent(recipients, limit),
            kinds_received=await self._kinds_received(streams),
            received=await self._received(streams, limit),
        )

    async def _recipients(self) -> Sequence[str]:
        """Everybody to whom anything was ever sent: one step in the index for each."""
        first = select(func.min(recipient.c.recipient).label("id"))
        steps = first.cte("step", recursive=True)
        following = select(func.min(recipient.c.recipient)).where(recipient.c.recipient > steps.c.id).scalar_subquery()
        steps = steps.union_all(select(following).where(steps.c.id.is_not(None)))
        found = await self._transaction.rows(select(steps.c.id).where(steps.c.id.is_not(None)))
        return [row["id"] for row in found]

    async def _streams(self, prefix: str) -> Sequence[int]:
        found = await self._transaction.rows(select(sequence_stream.c.id, sequence_stream.c.sender))
        return [row["id"] for row in found if prefix_of(row["sender"]) == prefix]

    async def _kinds_sent(self, recipients: Sequence[str]) -> Sequence[KindSent]:
        query = (
            select(
                message.c.kind,
                func.count().label("count"),
                func.sum(case((_LEFT_US, 1), else_=0)).label("published"),
                func.sum(case((_LEFT_US, 0), (_MAY_HAVE_LEFT_US, 1), else_=0)).label("uncertain"),
                func.count(recipient.c.delivered_at).label("delivered"),
                func.count(recipient.c.acknowledged_at).label("acknowledged"),
                func.min(message.c.sent).label("first"),
                func.max(message.c.sent).label("last"),
            )
            .join(message, message.c.id == recipient.c.message_id)
            .where(recipient.c.recipient.in_(recipients))
            .group_by(message.c.kind)
            .order_by(message.c.kind)
        )
        return [KindSent(**row) for row in await self._transaction.rows(query)]

    async def _sent(self, recipients: Sequence[str], limit: int) -> Sequence[SentThere]:
        copied = ("id", "sender", "kind", "status", "urgency", "sent")
        newest = (
            select(
                *(message.c[name] for name in copied),
                recipient.c.recipient,
                recipient.c.sent_at.label("published_at"),
                recipient.c.delivered_at,
                recipient.c.acknowledged_at,
                recipient.c.state,
                recipient.c.code,
                message.c.wire_sha256,
                message.c.position,
            )
            .join(message, message.c.id == recipient.c.message_id)
            .where(recipient.c.recipient.in_(recipients))
            .order_by(message.c.position.desc(), recipient.c.recipient)
            .limit(limit)
            .subquery()
        )
        columns = [column for column in newest.c if column.name not in {"wire_sha256", "position"}]
        query = (
            select(*columns, wire.c.wire_bytes)
            .join(wire, wire.c.sha256 == newest.c.wire_sha256)
            .order_by(newest.c.position.desc(), newest.c.recipient)
        )
        return [SentThere(**row) for row in await self._transaction.rows(query)]

    async def _kinds_received(self, streams: Sequence[int]) -> Sequence[KindReceived]:
        query = (
            select(
                inbox.c.kind,
                func.count().label("count"),
                func.min(inbox.c.received_at).label("first"),
                func.max(inbox.c.received_at).label("last"),
            )
            .select_from(sequence_number)
            .join(sequence_stream, sequence_stream.c.id == sequence_number.c.stream_id)
            .join(inbox, _received_under_a_number())
            .where(sequence_number.c.stream_id.in_(streams))
            .group_by(inbox.c.kind)
            .order_by(inbox.c.kind)
        )
        return [KindReceived(**row) for row in await self._transaction.rows(query)]

    async def _received(self, streams: Sequence[int], limit: int) -> Sequence[ReceivedThence]:
        copied = ("id", "sender", "contact_point", "kind", "status", "urgency", "sent", "received_at")
        query = (
            select(*(inbox.c[name] for name in copied))
            .select_from(sequence_number)
            .join(sequence_stream, sequence_stream.c.id == sequence_number.c.stream_id)
            .join(inbox, _received_under_a_number())
            .where(sequence_number.c.stream_id.in_(streams))
            .order_by(inbox.c.position.desc())
            .limit(limit)
        )
        return [ReceivedThence(**row) for row in await self._transaction.rows(query)]


def _received_under_a_number() -> ColumnElement[bool]:
    return and_(
        inbox.c.id == sequence_number.c.message_id,
        inbox.c.contact_point == sequence_stream.c.recipient,
        inbox.c.sender == sequence_stream.c.sender,
    )
