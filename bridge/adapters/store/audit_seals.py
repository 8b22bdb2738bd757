"""The seals over the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, func, select

from bridge.adapters.store.audit import read_entry
from bridge.adapters.store.desk_tables import audit_seal
from bridge.adapters.store.tables import audit
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.audit_seals import AuditSeal
from bridge.ports.store.records import AuditEntry

_COLUMNS: Final = ("position", "count", "sealed_at", "mac")


class SqlAuditSeals:
    """Implements `bridge.ports.store.audit_seals.AuditSeals`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def rows_behind(self, position: int, *, up_to: int, limit: int) -> Sequence[tuple[int, AuditEntry]]:
        """Rows behind a place, in order, each with its own."""
        query = (
            select(audit)
            .where(audit.c.position > position, audit.c.position <= up_to)
            .order_by(audit.c.position)
            .limit(limit)
        )
        return [(row["position"], read_entry(row)) for row in await self._transaction.rows(query)]

    async def newest_place(self) -> int:
        """The place of the newest row; 0 where there is none."""
        (row,) = await self._transaction.rows(select(func.coalesce(func.max(audit.c.position), 0).label("newest")))
        newest: int = row["newest"]
        return newest

    async def last(self) -> AuditSeal | None:
        """The newest seal."""
        rows = await self._transaction.rows(select(audit_seal).order_by(audit_seal.c.position.desc()).limit(1))
        return _seal(rows[0]) if rows else None

    async def behind(self, position: int, *, limit: int) -> Sequence[AuditSeal]:
        """Seals behind a place, in order."""
        query = select(audit_seal).where(audit_seal.c.position > position).order_by(audit_seal.c.position).limit(limit)
        return [_seal(row) for row in await self._transaction.rows(query)]

    async def add(self, seal: AuditSeal) -> bool:
        """Stores a seal; answers whether nobody else had sealed up to there."""
        values = {name: getattr(seal, name) for name in _COLUMNS}
        statement = self._transaction.insert(audit_seal).values(values)
        return await self._transaction.change(statement.on_conflict_do_nothing()) == 1


def _seal(row: RowMapping) -> AuditSeal:
    return AuditSeal(**{name: row[name] for name in _COLUMNS})
