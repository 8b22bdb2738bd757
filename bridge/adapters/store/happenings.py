"""The audit log, followed from a place on, and what the messages in it are about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import and_, func, select

from bridge.adapters.store.deadlines import in_earnest
from bridge.adapters.store.tables import audit, inbox, message, progress, recipient
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.happenings import Arrival, Happening

MOST_COUNTED: Final = 100
_LOOKS: Final = ("%.read", "%.listed")


class SqlHappenings:
    """Implements `bridge.ports.store.happenings.Happenings`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def newest(self) -> int:
        """The position of the newest entry of the audit log; 0 where there is none."""
        (row,) = await self._transaction.rows(select(func.coalesce(func.max(audit.c.position), 0).label("newest")))
        newest: int = row["newest"]
        return newest

    async def after(self, position: int, *, limit: int = 1000) -> Sequence[Happening]:
        """Entries behind a position, oldest first, without those that only say that something was read."""
        query = (
            select(
                audit.c.position,
                audit.c.action,
                audit.c.actor,
                audit.c.contact_point,
                audit.c.subject,
                audit.c.detail,
            )
            .where(audit.c.position > position, *(audit.c.action.not_like(pattern) for pattern in _LOOKS))
            .order_by(audit.c.position)
            .limit(limit)
        )
        return [Happening(**row) for row in await self._transaction.rows(query)]

    async def arrivals(self, keys: Collection[tuple[str, str]]) -> Sequence[Arrival]:
        """What these (contact point, message id) are."""
        asked, found = set(keys), []
        for part in in_parts(sorted({message_id for _, message_id in asked})):
            query = select(
                inbox.c.position,
                inbox.c.contact_point,
                inbox.c.sender,
                inbox.c.id.label("message_id"),
                and_(inbox.c.acknowledge_by.is_not(None), in_earnest(inbox.c.status)).label("awaits_answer"),
                inbox.c.supersedes.label("replaces"),
                inbox.c.of.label("answers"),
            ).where(inbox.c.id.in_(part))
            rows = await self._transaction.rows(query.order_by(inbox.c.position))
            found += [Arrival(**row) for row in rows if (row["contact_point"], row["message_id"]) in asked]
        return found

    async def newest_arrival(self, contact_point: str) -> int:
        """The place in the inbox of what arrived last; 0 where nothing has."""
        query = select(func.coalesce(func.max(inbox.c.position), 0).label("newest"))
        (row,) = await self._transaction.rows(query.where(inbox.c.contact_point == contact_point))
        newest: int = row["newest"]
        return newest

    async def count_arrivals(self, contact_point: str, *, after: int) -> int:
        """How many messages that an officer has to answer arrived behind a place; a hundred at most."""
        arrived = (
            select(inbox.c.position)
            .where(
                inbox.c.contact_point == contact_point,
                inbox.c.position > after,
                inbox.c.acknowledge_by.is_not(None),
                in_earnest(inbox.c.status),
            )
            .limit(MOST_COUNTED)
        )
        (row,) = await self._transaction.rows(select(func.count().label("count")).select_from(arrived.subquery()))
        count: int = row["count"]
        return count

    async def sent_states(self, contact_point: str, *, newest: int) -> Mapping[str, str]:
        """Message id -> what became of it at its recipients, in one word to compare, for the newest ones sent."""
        sent = (
            select(message.c.id)
            .where(message.c.sender == contact_point)
            .order_by(message.c.position.desc())
            .limit(newest)
        ).subquery()
        query = (
            select(recipient.c.message_id, recipient.c.state, recipient.c.level)
            .join(sent, sent.c.id == recipient.c.message_id)
            .order_by(recipient.c.message_id, recipient.c.rank)
        )
        states: dict[str, str] = {}
        for row in await self._transaction.rows(query):
            said = f"{states.get(row['message_id'], '')} {row['state']}:{row['level'] or ''}"
            states[row["message_id"]] = said
        return states

    async def progress(self, name: str) -> int | None:
        """How far a follower has come; `None` for a new one."""
        rows = await self._transaction.rows(select(progress.c.position).where(progress.c.name == name))
        return rows[0]["position"] if rows else None

    async def set_progress(self, name: str, position: int) -> None:
        """Notes it."""
        statement = self._transaction.insert(progress).values(name=name, position=position)
        await self._transaction.change(
            statement.on_conflict_do_update(index_elements=[progress.c.name], set_={"position": position})
        )
