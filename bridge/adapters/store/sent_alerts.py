"""What a contact point has sent, as its officers look at it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import Select, func, select

from bridge.adapters.store.kept_bytes import BODY_COLUMNS, body_of
from bridge.adapters.store.outgoing_rows import OUTGOING_COLUMNS, read_outgoing
from bridge.adapters.store.tables import body, message, recipient, sequence_counter
from bridge.adapters.store.transaction import Transaction
from bridge.core.vocabulary import ALERT_KINDS
from bridge.ports.store.records import OutgoingMessage

_WITH_BODY: Final = (
    select(*OUTGOING_COLUMNS, *BODY_COLUMNS)
    .outerjoin(body, body_of(message.c.sender, message.c.id, message.c.sender))
    .where(message.c.kind.in_(ALERT_KINDS))
)


class SqlSentAlerts:
    """Implements `bridge.ports.store.sent_alerts.SentAlerts`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def page(self, sender: str, *, before: str | None, limit: int) -> Sequence[OutgoingMessage]:
        """Alerts, updates and cancellations, the newest first, with bodies and without wire bytes."""
        query = _WITH_BODY.where(message.c.sender == sender)
        if before is not None:
            place = select(message.c.position).where(message.c.id == before).scalar_subquery()
            query = query.where(message.c.position < place)
        return await self._messages(query.order_by(message.c.position.desc()).limit(limit))

    async def versions(self, thread: str, *, sender: str) -> Sequence[OutgoingMessage]:
        """Every alert, update and cancellation of a thread, the oldest first, with bodies, without wire bytes."""
        query = _WITH_BODY.where(message.c.thread == thread, message.c.sender == sender)
        return await self._messages(query.order_by(message.c.position))

    async def written_to(self, sender: str, recipients: Collection[str]) -> frozenset[str]:
        """Those of the recipients to whom the sender ever sent anything from this database."""
        counter = sequence_counter.c
        query = select(counter.recipient).where(counter.sender == sender, counter.recipient.in_(recipients)).distinct()
        return frozenset(row["recipient"] for row in await self._transaction.rows(query))

    async def usual_number(self, sender: str, *, last: int) -> tuple[int, int]:
        """How many of its last messages are alerts (at most `last` are looked at), and the most recipients of one."""
        recent = (
            select(message.c.id, message.c.kind)
            .where(message.c.sender == sender)
            .order_by(message.c.position.desc())
            .limit(last)
            .subquery()
        )
        sizes = (
            select(func.count().label("size"))
            .select_from(recipient)
            .join(recent, recent.c.id == recipient.c.message_id)
            .where(recent.c.kind.in_(ALERT_KINDS))
            .group_by(recipient.c.message_id)
        )
        found = [row["size"] for row in await self._transaction.rows(sizes)]
        return len(found), max(found, default=0)

    async def _messages(self, query: Select[*tuple[object, ...]]) -> Sequence[OutgoingMessage]:
        return await read_outgoing(self._transaction, query)
