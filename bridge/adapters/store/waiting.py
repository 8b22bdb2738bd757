"""What waits in the outbox, counted by where it is to go.

It reads the waiting rows through the outbox's partial index and none that was settled.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from bridge.adapters.store.tables import outbox, unsent
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.records import Waiting

_TOGETHER = (outbox.c.relay, outbox.c.country, outbox.c.routing_key, outbox.c.lane, outbox.c.last_error)


async def count_waiting(transaction: Transaction) -> Sequence[Waiting]:
    """One entry for each relay, routing key and last error."""
    count, oldest = func.count().label("count"), func.min(outbox.c.created_at).label("oldest")
    rows = await transaction.rows(select(*_TOGETHER, count, oldest).where(unsent).group_by(*_TOGETHER))
    return [Waiting(**row) for row in rows]
