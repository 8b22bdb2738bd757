"""Drafts: what officers wrote, sealed, and how far it is on its way to be sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from sqlalchemy import RowMapping, insert, select, update

from bridge.adapters.store.desk_tables import draft
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.drafts import RELEASED, DraftRecord
from bridge.ports.vault import BodyAtRest

_COPIED: Final = (
    "id",
    "contact_point",
    "author",
    "kind",
    "state",
    "revision",
    "created_at",
    "changed_at",
    "supersedes",
    "submitted_at",
    "decided_at",
    "decided_by",
    "is_emergency",
    "message_id",
    "reviewed_at",
    "reviewed_by",
)


class SqlDrafts:
    """Implements `bridge.ports.store.drafts.Drafts`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, added: DraftRecord) -> None:
        """Stores a new draft."""
        await self._transaction.change_each(insert(draft), [_values(added)])

    async def get(self, draft_id: str) -> DraftRecord | None:
        """A draft by its id."""
        rows = await self._transaction.rows(select(draft).where(draft.c.id == draft_id))
        return _draft(rows[0]) if rows else None

    async def list(self, contact_point: str, states: Collection[str], *, limit: int) -> Sequence[DraftRecord]:
        """Drafts in these states, the last changed first."""
        query = (
            select(draft)
            .where(draft.c.contact_point == contact_point, draft.c.state.in_(states))
            .order_by(draft.c.changed_at.desc(), draft.c.id)
            .limit(limit)
        )
        return [_draft(row) for row in await self._transaction.rows(query)]

    async def to_review(self, contact_point: str, *, limit: int) -> Sequence[DraftRecord]:
        """What was released in an emergency and nobody has reviewed, the oldest first."""
        query = (
            select(draft)
            .where(draft.c.contact_point == contact_point, draft.c.state == RELEASED)
            .where(draft.c.is_emergency, draft.c.reviewed_at.is_(None))
            .order_by(draft.c.changed_at, draft.c.id)
            .limit(limit)
        )
        return [_draft(row) for row in await self._transaction.rows(query)]

    async def replace(self, changed: DraftRecord, *, revision: int) -> bool:
        """Stores a change of the draft that had `revision`; answers whether it still had it."""
        statement = update(draft).where(draft.c.id == changed.id, draft.c.revision == revision)
        if changed.state == RELEASED and not changed.is_emergency:
            statement = statement.where(draft.c.author != changed.decided_by)
        if changed.reviewed_by is not None:
            statement = statement.where(draft.c.author != changed.reviewed_by)
        return await self._transaction.change(statement.values(_values(changed))) == 1

    async def begin_sending(self, contact_point: str) -> None:
        """Waits for its turn to replace an alert of a contact point, and keeps it to the end of the transaction."""
        await self._transaction.take_turn(f"release {contact_point}")


def _values(record: DraftRecord) -> dict[str, object]:
    sealed = record.sealed
    kept = {"wrapped_key": sealed.wrapped_key if sealed else None, "ciphertext": sealed.ciphertext if sealed else None}
    return {name: getattr(record, name) for name in _COPIED} | kept


def _draft(row: RowMapping) -> DraftRecord:
    sealed = BodyAtRest(row["wrapped_key"], row["ciphertext"]) if row["wrapped_key"] is not None else None
    return DraftRecord(**{name: row[name] for name in _COPIED}, sealed=sealed)
