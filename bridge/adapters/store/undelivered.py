"""Messages of ours that a recipient has not got, or has refused.

It starts from the recipients that are not `delivered`, which a partial index holds and which are few, and not from
everything that was ever sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Select, Text, and_, case, func, literal_column, or_, select

from bridge.adapters.store.tables import message, recipient, undelivered
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.records import Undelivered, UndeliveredCount

# Grouped by the column itself, SQLite would walk over every recipient ever, in the order of another index.
_WHO: Final = literal_column("recipient.recipient || ''", Text).label("who")
_IMMEDIATE_FIRST: Final = case((message.c.urgency == "immediate", 0), else_=1)


async def list_undelivered(
    transaction: Transaction, *, expires_after: datetime, sent_before: datetime, limit: int
) -> tuple[Sequence[UndeliveredCount], Sequence[Undelivered]]:
    """How many by recipient and state, and the first of them, immediate ones before others, older before newer."""
    concerns = _concerns(expires_after, sent_before)
    counted = _joined(select(_WHO, recipient.c.state, func.count().label("count"))).where(concerns)
    counts = await transaction.rows(counted.group_by(_WHO, recipient.c.state).order_by(_WHO, recipient.c.state))
    columns = (message.c.id, message.c.kind, message.c.urgency, message.c.sent, message.c.expires)
    named = _joined(select(*columns, recipient.c.recipient, recipient.c.state, recipient.c.code))
    first = await transaction.rows(
        named.where(concerns)
        .order_by(_IMMEDIATE_FIRST, message.c.sent, message.c.position, recipient.c.rank)
        .limit(limit)
    )
    return [UndeliveredCount(row["who"], row["state"], row["count"]) for row in counts], [
        Undelivered(**row) for row in first
    ]


def _joined(query: Select[*tuple[object, ...]]) -> Select[*tuple[object, ...]]:
    return query.select_from(recipient).join(message, message.c.id == recipient.c.message_id)


def _concerns(expires_after: datetime, sent_before: datetime) -> ColumnElement[bool]:
    has_ended = recipient.c.state.in_(("expired", "rejected"))
    return and_(undelivered, message.c.expires > expires_after, or_(has_ended, message.c.sent <= sent_before))
