"""A new epoch as a restore begins it, where a test is about what follows and not about the restore."""

from __future__ import annotations

from datetime import datetime

from bridge.adapters.store.numbering import begin_epoch
from bridge.ports.store import UnitOfWork


async def new_epoch(unit: UnitOfWork, now: datetime) -> int:
    """Begins one in this transaction; no use case may, so the port has no such thing."""
    return await begin_epoch(unit.ledger._transaction, now)
