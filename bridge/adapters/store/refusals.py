"""Quarantine (refused until somebody acts) and held (to be verified again), each with its own copy of the raw bytes.

What is stored here was written by strangers: text that a database would not take (NUL, lone surrogates) is escaped, so
that no message can be too broken to be quarantined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, Table, delete, func, insert, or_, select, update

from bridge.adapters.store.tables import held, quarantine
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.records import Refusal


class SqlRefusals:
    """Implements `bridge.ports.store.Refusals`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def quarantine(self, refusals: Sequence[Refusal]) -> None:
        """Keeps refused raw bytes with code, step, time and queue."""
        await self._insert(quarantine, refusals)

    async def hold(self, refusals: Sequence[Refusal], *, quota_bytes: int) -> Sequence[Refusal]:
        """Keeps what fits the quota; answers the rest. On PostgreSQL two writers at once may pass it by one batch."""
        total = select(func.coalesce(func.sum(held.c.size), 0).label("total"))
        room = quota_bytes - int((await self._transaction.rows(total))[0]["total"])
        kept: list[Refusal] = []
        left: list[Refusal] = []
        for refusal in refusals:
            if refusal.size <= room:
                room -= refusal.size
                kept.append(refusal)
            else:
                left.append(refusal)
        await self._insert(held, kept)
        return left

    async def release_held(self, *, limit: int, not_tried_since: datetime, now: datetime) -> Sequence[Refusal]:
        """Held messages that are due, oldest first; they count as tried `now`. Tried later than now: a wrong clock."""
        query = (
            select(held)
            .where(or_(held.c.tried_at.is_(None), held.c.tried_at < not_tried_since, held.c.tried_at > now))
            .order_by(held.c.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = await self._transaction.rows(query)
        for part in in_parts([row["position"] for row in rows]):
            await self._transaction.change(update(held).where(held.c.position.in_(part)).values(tried_at=now))
        return [_refusal(row) for row in rows]

    async def drop_held(self, ids: Sequence[str]) -> None:
        """Forgets held messages that found their verdict."""
        for part in in_parts(ids):
            await self._transaction.change(delete(held).where(held.c.id.in_(part)))

    async def list(self, *, code: str | None = None, limit: int = 200) -> Sequence[Refusal]:
        """Quarantine, newest first."""
        query = select(quarantine).order_by(quarantine.c.position.desc()).limit(limit)
        if code is not None:
            query = query.where(quarantine.c.code == code)
        return [_refusal(row) for row in await self._transaction.rows(query)]

    async def get(self, refusal_id: str) -> Refusal | None:
        """One quarantined message."""
        rows = await self._transaction.rows(select(quarantine).where(quarantine.c.id == refusal_id))
        return _refusal(rows[0]) if rows else None

    async def counts(self) -> tuple[Mapping[str, int], int]:
        """Quarantined by code, and how many are held."""
        by_code = select(quarantine.c.code, func.count().label("count")).group_by(quarantine.c.code)
        counted = {row["code"]: row["count"] for row in await self._transaction.rows(by_code)}
        waiting = await self._transaction.rows(select(func.count().label("count")).select_from(held))
        return counted, waiting[0]["count"]

    async def _insert(self, table: Table, refusals: Sequence[Refusal]) -> None:
        values = [
            {
                "id": refusal.id,
                "code": refusal.code,
                "step": refusal.step,
                "detail": _storable(refusal.detail),
                "at": refusal.at,
                "queue": _storable(refusal.queue),
                "contact_point": refusal.contact_point,
                "properties": {name: value and _storable(value) for name, value in refusal.properties.items()},
                "size": refusal.size,
                "replays": refusal.replays,
                "wire_bytes": refusal.wire_bytes,
            }
            for refusal in refusals
        ]
        await self._transaction.change_each(insert(table), values)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _refusal(row: RowMapping) -> Refusal:
    return Refusal(
        id=row["id"],
        code=row["code"],
        step=row["step"],
        detail=row["detail"],
        at=row["at"],
        queue=row["queue"],
        contact_point=row["contact_point"],
        properties=row["properties"],
        wire_bytes=row["wire_bytes"],
        replays=row["replays"],
    )
