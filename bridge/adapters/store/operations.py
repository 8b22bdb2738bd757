"""What an operator sees of the traffic. The columns are named one by one: none of them holds a word of a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, func, select

from bridge.adapters.store.refusal_tables import quarantine, quarantine_return
from bridge.adapters.store.tables import inbox, message, recipient
from bridge.adapters.store.transaction import Transaction
from bridge.core.ids import first_id_of, time_of
from bridge.ports.store.operations import ReceivedFact, RefusedGroup, SentFact, Totals


class SqlOperations:
    """Implements `bridge.ports.store.operations.Operations`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def sent_since(self, since: datetime, *, limit: int) -> Sequence[SentFact]:
        """The newest messages that were made since, one entry a recipient, newest first."""
        to = recipient.c
        query = (
            select(
                to.message_id,
                to.recipient,
                to.state,
                to.sent_at,
                to.delivered_at,
                to.acknowledged_at,
                to.reply_within_s,
            )
            .where(to.message_id >= first_id_of(since))
            .order_by(to.message_id.desc(), to.recipient)
            .limit(limit)
        )
        return [
            SentFact(
                recipient=row["recipient"],
                state=row["state"],
                made_at=time_of(row["message_id"]),
                sent_at=row["sent_at"],
                delivered_at=row["delivered_at"],
                acknowledged_at=row["acknowledged_at"],
                reply_within_s=row["reply_within_s"],
            )
            for row in await self._transaction.rows(query)
        ]

    async def received_since(self, since: datetime, *, limit: int) -> Sequence[ReceivedFact]:
        """What arrived since and was made since, newest first."""
        query = (
            select(inbox.c.sender, inbox.c.received_at)
            .where(inbox.c.id >= first_id_of(since), inbox.c.received_at >= since)
            .order_by(inbox.c.id.desc())
            .limit(limit)
        )
        return [ReceivedFact(row["sender"], row["received_at"]) for row in await self._transaction.rows(query)]

    async def totals(self) -> Totals:
        """How many messages were received, made and refused."""
        tables = {"received": inbox, "made": message, "refused": quarantine}
        query = select(
            *(
                select(func.coalesce(func.max(table.c.position), 0)).scalar_subquery().label(name)
                for name, table in tables.items()
            )
        )
        (row,) = await self._transaction.rows(query)
        return Totals(**row)

    async def refused_groups(self) -> Sequence[RefusedGroup]:
        """The quarantine by reason, most entries first."""
        count = func.count().label("count")
        query = (
            select(
                quarantine.c.code,
                count,
                func.sum(case((quarantine.c.replays > 0, 1), else_=0)).label("replayed"),
                func.count(quarantine_return.c.quarantine_id).label("returned"),
                func.min(quarantine.c.at).label("first_at"),
                func.max(quarantine.c.at).label("last_at"),
            )
            .outerjoin(quarantine_return, quarantine_return.c.quarantine_id == quarantine.c.id)
            .group_by(quarantine.c.code)
            .order_by(count.desc(), quarantine.c.code)
        )
        return [RefusedGroup(**row) for row in await self._transaction.rows(query)]
