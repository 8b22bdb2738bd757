"""Hand-overs of a shift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, insert, select, update

from bridge.adapters.store.desk_tables import handover
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.handovers import HandoverRecord
from bridge.ports.vault import BodyAtRest

_COPIED: Final = ("id", "contact_point", "given_by", "given_to", "given_at", "taken_by", "taken_at")
_NEWEST: Final = 20


class SqlHandovers:
    """Implements `bridge.ports.store.handovers.Handovers`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, given: HandoverRecord) -> None:
        """Stores one."""
        values = {name: getattr(given, name) for name in _COPIED} | {
            "items": [list(item) for item in given.items],
            "wrapped_key": given.note.wrapped_key,
            "ciphertext": given.note.ciphertext,
        }
        await self._transaction.change_each(insert(handover), [values])

    async def get(self, handover_id: str) -> HandoverRecord | None:
        """One by its id."""
        rows = await self._transaction.rows(select(handover).where(handover.c.id == handover_id))
        return _record(rows[0]) if rows else None

    async def list(self, contact_point: str, *, limit: int = _NEWEST) -> Sequence[HandoverRecord]:
        """The newest first."""
        query = (
            select(handover)
            .where(handover.c.contact_point == contact_point)
            .order_by(handover.c.position.desc())
            .limit(limit)
        )
        return [_record(row) for row in await self._transaction.rows(query)]

    async def waiting(self, contact_point: str) -> Sequence[HandoverRecord]:
        """Those among the newest twenty that nobody has taken, the newest first."""
        return [one for one in await self.list(contact_point) if one.taken_at is None]

    async def take(self, handover_id: str, *, by: str, at: datetime) -> bool:
        """Takes one; answers whether nobody had."""
        taken = update(handover).where(handover.c.id == handover_id, handover.c.taken_at.is_(None))
        return await self._transaction.change(taken.values(taken_by=by, taken_at=at)) == 1


def _record(row: RowMapping) -> HandoverRecord:
    return HandoverRecord(
        **{name: row[name] for name in _COPIED},
        items=tuple((kind, item_id, who) for kind, item_id, who in row["items"]),
        note=BodyAtRest(row["wrapped_key"], row["ciphertext"]),
    )
