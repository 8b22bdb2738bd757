"""The outbox: publishes to be made, leased to one relay at a time.

A row is due when it is unsent, its next attempt has come, and no lease holds it. It is settled when its `sent_at` is
set: the broker confirmed it, or it was given up, which `last_error` then says (`expired`). Settled rows stay, they are
the node's record of its publishes. Order is urgent before normal, then the order of arrival, as far as several relays
allow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, insert, or_, select, update

from bridge.adapters.store.kept_bytes import keep_wire
from bridge.adapters.store.tables import outbox, unsent, wire
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.records import OutboxRow

# A lease lasts a minute or so and the longest back-off five: what lies farther ahead was written by a wrong clock.
FARTHEST_AHEAD: Final = timedelta(minutes=10)
EXPIRED: Final = "expired"

_COPIED: Final = (
    "id",
    "relay",
    "exchange",
    "routing_key",
    "country",
    "lane",
    "kind",
    "sender",
    "message_id",
    "sent",
    "expires",
    "created_at",
    "attempts",
    "last_error",
)
_COLUMNS: Final = tuple(outbox.c[name] for name in _COPIED)


class SqlOutbox:
    """Implements `bridge.ports.store.Outbox`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, rows: Sequence[OutboxRow]) -> None:
        """Stores the rows, due at once."""
        digests = await keep_wire(self._transaction, rows)
        values = [
            {name: getattr(row, name) for name in _COPIED} | {"wire_sha256": digest}
            for row, digest in zip(rows, digests, strict=True)
        ]
        await self._transaction.change_each(insert(outbox), values)

    async def claim(
        self, relay: str, *, token: str, now: datetime, lease_seconds: float, limit: int
    ) -> Sequence[OutboxRow]:
        """Leases due rows; rows that another transaction is claiming at this moment are passed over (PostgreSQL)."""
        query = (
            select(outbox.c.position, *_COLUMNS, wire.c.wire_bytes)
            .join(wire, wire.c.sha256 == outbox.c.wire_sha256)
            .where(outbox.c.relay == relay, unsent)
            .where(_over(outbox.c.next_attempt_at, now), _over(outbox.c.lease_until, now))
            .order_by(outbox.c.lane.desc(), outbox.c.position)
            .limit(limit)
            .with_for_update(of=outbox, skip_locked=True)
        )
        rows = await self._transaction.rows(query)
        until = now + timedelta(seconds=lease_seconds)
        for part in in_parts([row["position"] for row in rows]):
            lease = update(outbox).where(outbox.c.position.in_(part))
            await self._transaction.change(lease.values(lease_token=token, lease_until=until))
        return [OutboxRow(**{name: row[name] for name in _COPIED}, wire_bytes=row["wire_bytes"]) for row in rows]

    async def mark_sent(self, ids: Sequence[str], *, token: str, now: datetime) -> int:
        """Marks rows that this lease still owns; answers how many."""
        return await self._settle(ids, token, {"sent_at": now})

    async def mark_failed(self, ids: Sequence[str], *, token: str, next_attempt_at: datetime, error: str) -> int:
        """Gives rows that this lease still owns back, to be tried again later; answers how many."""
        tried = {"attempts": outbox.c.attempts + 1, "next_attempt_at": next_attempt_at, "last_error": error}
        return await self._settle(ids, token, tried)

    async def mark_expired(self, ids: Sequence[str], *, token: str, now: datetime) -> int:
        """Gives up rows that this lease still owns; answers how many."""
        return await self._settle(ids, token, {"sent_at": now, "last_error": EXPIRED})

    async def backlog(self, relay: str) -> tuple[int, datetime | None]:
        """How many rows wait, and when the oldest was made. Reads the waiting rows, not the sent ones."""
        waiting = select(func.count().label("count"), func.min(outbox.c.created_at).label("oldest"))
        row = (await self._transaction.rows(waiting.where(outbox.c.relay == relay, unsent)))[0]
        return row["count"], row["oldest"]

    async def _settle(self, ids: Sequence[str], token: str, values: dict[str, object]) -> int:
        settled = 0
        for part in in_parts(ids):
            owned = update(outbox).where(outbox.c.id.in_(part), outbox.c.lease_token == token, unsent)
            settled += await self._transaction.change(owned.values(lease_token=None, lease_until=None, **values))
        return settled


def _over(moment: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    return or_(moment.is_(None), moment <= now, moment > now + FARTHEST_AHEAD)
