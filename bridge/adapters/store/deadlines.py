"""Answers that people owe, found by two partial indexes that hold nothing that was answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Text, and_, exists, literal_column, select, update
from sqlalchemy.sql.dml import Update

from bridge.adapters.store.tables import awaited, inbox, message, recipient, unanswered
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.deadlines import OwedAnswer

_newer = inbox.alias("newer")
_later = message.alias("later")
# By the column itself SQLite would walk over everything that a contact point ever sent.
_BY: Final[ColumnElement[str]] = literal_column("message.sender || ''", Text)
# A version has been replaced where another message of the same contact point and status says so: an exercise stops no
# alarm of a real alert.
_is_replaced_here = exists().where(
    _newer.c.contact_point == inbox.c.contact_point,
    _newer.c.supersedes == inbox.c.id,
    _newer.c.supersedes_from == inbox.c.sender,
    _newer.c.status == inbox.c.status,
)
_is_replaced_there = exists().where(
    _later.c.thread == message.c.thread,
    _later.c.sender == message.c.sender,
    _later.c.supersedes == message.c.id,
    _later.c.status == message.c.status,
)


def in_earnest(status: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether an officer is meant: an exercise is for officers, a test is answered by machines."""
    return status.not_in(("test", "system"))


class SqlDeadlines:
    """Implements `bridge.ports.store.deadlines.Deadlines`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def ours(
        self, contact_points: Collection[str], *, due_after: datetime, limit: int = 1000
    ) -> Sequence[OwedAnswer]:
        """What these contact points received and have to answer, the soonest due first."""
        query = (
            select(
                inbox.c.contact_point,
                inbox.c.sender.label("peer"),
                inbox.c.id.label("message_id"),
                inbox.c.kind,
                inbox.c.status,
                inbox.c.urgency,
                inbox.c.received_at.label("since"),
                inbox.c.acknowledge_by.label("due_at"),
                inbox.c.reminded_at,
                inbox.c.alarmed_at,
            )
            .where(
                unanswered,
                inbox.c.contact_point.in_(contact_points),
                inbox.c.acknowledge_by > due_after,
                inbox.c.closed_at.is_(None),
                in_earnest(inbox.c.status),
                ~_is_replaced_here,
            )
            .order_by(inbox.c.acknowledge_by)
            .limit(limit)
        )
        return [OwedAnswer(**row) for row in await self._transaction.rows(query)]

    async def theirs(
        self, contact_points: Collection[str], *, since: datetime, limit: int = 1000
    ) -> Sequence[OwedAnswer]:
        """What these contact points sent, delivered after a moment and not answered, the earliest delivered first."""
        query = (
            select(
                message.c.sender.label("contact_point"),
                recipient.c.recipient.label("peer"),
                recipient.c.message_id,
                message.c.kind,
                message.c.status,
                message.c.urgency,
                recipient.c.delivered_at.label("since"),
                recipient.c.reply_within_s,
                recipient.c.reminded_at,
                recipient.c.alarmed_at,
            )
            .join(message, message.c.id == recipient.c.message_id)
            .where(
                awaited,
                recipient.c.delivered_at > since,
                _BY.in_(contact_points),
                in_earnest(message.c.status),
                ~_is_replaced_there,
            )
            .order_by(recipient.c.delivered_at)
            .limit(limit)
        )
        found = []
        for row in await self._transaction.rows(query):
            members = dict(row)
            within = timedelta(seconds=members.pop("reply_within_s"))
            found.append(OwedAnswer(**members, due_at=members["since"] + within))
        return found

    async def note_ours(self, answers: Sequence[OwedAnswer], at: datetime, *, overdue: bool) -> Sequence[OwedAnswer]:
        """Notes a reminder or an alarm; answers those for which nobody had, and which are owed still."""
        noted = inbox.c.alarmed_at if overdue else inbox.c.reminded_at
        return [one for one in answers if await self._note(update(inbox).where(unanswered, _item(one)), noted, at)]

    async def note_theirs(self, answers: Sequence[OwedAnswer], at: datetime, *, overdue: bool) -> Sequence[OwedAnswer]:
        """The same for what recipients owe."""
        noted = recipient.c.alarmed_at if overdue else recipient.c.reminded_at
        return [one for one in answers if await self._note(update(recipient).where(_awaited_of(one)), noted, at)]

    async def _note(self, changing: Update, noted: ColumnElement[datetime], at: datetime) -> bool:
        return await self._transaction.change(changing.where(noted.is_(None)).values({noted: at})) == 1


def _item(answer: OwedAnswer) -> ColumnElement[bool]:
    return and_(
        inbox.c.contact_point == answer.contact_point,
        inbox.c.id == answer.message_id,
        inbox.c.sender == answer.peer,
    )


def _awaited_of(answer: OwedAnswer) -> ColumnElement[bool]:
    return and_(
        recipient.c.message_id == answer.message_id,
        recipient.c.recipient == answer.peer,
        recipient.c.acknowledged_at.is_(None),
    )
