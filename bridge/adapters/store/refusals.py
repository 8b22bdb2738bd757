"""Quarantine and held as one repository of a transaction."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select

from bridge.adapters.store.held import SqlHeld
from bridge.adapters.store.quarantine import SqlQuarantine
from bridge.adapters.store.refusal_tables import held, quarantine


class SqlRefusals(SqlQuarantine, SqlHeld):
    """Implements `bridge.ports.store.Refusals`."""

    async def counts(self) -> tuple[Mapping[str, int], int]:
        """Quarantined by code, and how many are held. What came again counts once."""
        by_code = select(quarantine.c.code, func.count().label("count")).group_by(quarantine.c.code)
        counted = {row["code"]: row["count"] for row in await self._transaction.rows(by_code)}
        waiting = await self._transaction.rows(select(func.count().label("count")).select_from(held))
        return counted, waiting[0]["count"]
