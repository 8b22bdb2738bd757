"""The audit log: rows are only ever added."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import RowMapping, insert, select

from bridge.adapters.store.tables import audit
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.records import AuditEntry


class SqlAuditLog:
    """Implements `bridge.ports.store.AuditLog`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, entries: Sequence[AuditEntry]) -> None:
        """Appends entries."""
        values = [
            {
                "at": entry.at,
                "actor": entry.actor,
                "action": entry.action,
                "contact_point": entry.contact_point,
                "subject": entry.subject,
                "detail": dict(entry.detail),
            }
            for entry in entries
        ]
        await self._transaction.change_each(insert(audit), values)

    async def list(
        self, *, subject: str | None = None, action: str | None = None, limit: int = 200
    ) -> Sequence[AuditEntry]:
        """Newest first."""
        placed = await self.page(subject=subject, action=action, before=None, limit=limit)
        return [entry for _, entry in placed]

    async def page(
        self, *, subject: str | None, action: str | None, before: int | None, limit: int
    ) -> Sequence[tuple[int, AuditEntry]]:
        """Newest first, each with its place in the log; those in front of a place."""
        query = select(audit).order_by(audit.c.position.desc()).limit(limit)
        if subject is not None:
            query = query.where(audit.c.subject == subject)
        if action is not None:
            query = query.where(audit.c.action == action)
        if before is not None:
            query = query.where(audit.c.position < before)
        return [(row["position"], read_entry(row)) for row in await self._transaction.rows(query)]


def read_entry(row: RowMapping) -> AuditEntry:
    """An entry from all its columns."""
    return AuditEntry(row["at"], row["actor"], row["action"], row["contact_point"], row["subject"], row["detail"])
