"""Held messages: to be verified again from the first byte, each with its own copy of the raw bytes, within quotas.

The same bytes with the same properties are kept once; whoever writes here takes its turn, so that the quotas are kept
exactly.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, bindparam, delete, func, insert, or_, select, update

from bridge.adapters.store.refusal_rows import described, holder_of, sha256, storable, values_of
from bridge.adapters.store.refusal_tables import held
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.records import Refusal

MOST_LOOKED_AT: Final = 1000

_JUDGED_AGAIN: Final = (
    update(held)
    .where(held.c.id == bindparam("at_id"), held.c.code != bindparam("new_code"))
    .values(code=bindparam("new_code"), step=bindparam("new_step"), detail=bindparam("new_detail"))
)


class SqlHeld:
    """Implements `bridge.ports.store.refusals.Held`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def hold(self, refusals: Sequence[Refusal], *, quotas: Mapping[str, int]) -> Sequence[Refusal]:
        """Keeps each once and what fits the quota of its code; answers what did not. A code without a quota: none."""
        await self._transaction.take_turn("held")
        known = await self._held(refusals)
        taken = select(held.c.code, func.sum(held.c.size).label("total")).group_by(held.c.code)
        room = dict(quotas)
        for row in await self._transaction.rows(taken):
            room[row["code"]] = room.get(row["code"], 0) - int(row["total"])
        kept: list[dict[str, object]] = []
        left: list[Refusal] = []
        for refusal in refusals:
            key = (holder_of(refusal.contact_point), _arrival_sha256(refusal))
            if key in known:
                continue
            if refusal.size <= room.get(refusal.code, 0):
                room[refusal.code] -= refusal.size
                known.add(key)
                kept.append(values_of(refusal) | {"arrival_sha256": key[1], "wire_bytes": refusal.wire_bytes})
            else:
                left.append(refusal)
        await self._transaction.change_each(insert(held), kept)
        return left

    async def keep_holding(self, refusals: Sequence[Refusal]) -> None:
        """Notes the newest verdict on what stays held, by id."""
        values = [
            {
                "at_id": refusal.id,
                "new_code": refusal.code,
                "new_step": refusal.step,
                "new_detail": storable(refusal.detail),
            }
            for refusal in refusals
        ]
        await self._transaction.change_each(_JUDGED_AGAIN, values)

    async def release_held(
        self, holders: Collection[str | None], *, limit: int, not_tried_since: datetime, now: datetime
    ) -> Sequence[Refusal]:
        """Held messages that are due, oldest first; they count as tried `now`. Tried later than now: a wrong clock."""
        query = (
            select(held)
            .where(held.c.holder.in_([holder_of(holder) for holder in holders]))
            .where(or_(held.c.tried_at.is_(None), held.c.tried_at < not_tried_since, held.c.tried_at > now))
            .order_by(held.c.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = await self._transaction.rows(query)
        for part in in_parts([row["position"] for row in rows]):
            await self._transaction.change(update(held).where(held.c.position.in_(part)).values(tried_at=now))
        return [_refusal(row) for row in rows]

    async def held_too_long(
        self, holders: Collection[str | None], *, since_before: datetime, limit: int
    ) -> Sequence[Refusal]:
        """What these holders have held since before a moment, and tried at least once, oldest first."""
        query = (
            select(held)
            .where(held.c.holder.in_([holder_of(holder) for holder in holders]))
            .where(held.c.at < since_before, held.c.tried_at.is_not(None))
            .order_by(held.c.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_refusal(row) for row in await self._transaction.rows(query)]

    async def held_from(self, code: str) -> Collection[str]:
        """The senders that the properties name, of at most `MOST_LOOKED_AT` messages."""
        query = select(held.c.properties).where(held.c.code == code).limit(MOST_LOOKED_AT)
        named = [row["properties"].get("app_id") for row in await self._transaction.rows(query)]
        return {name for name in named if name}

    async def drop_held(self, ids: Sequence[str]) -> None:
        """Forgets held messages that found their verdict."""
        for part in in_parts(ids):
            await self._transaction.change(delete(held).where(held.c.id.in_(part)))

    async def _held(self, refusals: Sequence[Refusal]) -> set[tuple[str, bytes]]:
        """(holder, SHA-256 of bytes and properties), of those of these that are held already."""
        known: set[tuple[str, bytes]] = set()
        for part in in_parts([_arrival_sha256(refusal) for refusal in refusals]):
            query = select(held.c.holder, held.c.arrival_sha256).where(held.c.arrival_sha256.in_(part))
            known |= {(row["holder"], row["arrival_sha256"]) for row in await self._transaction.rows(query)}
        return known


def _arrival_sha256(refusal: Refusal) -> bytes:
    said = json.dumps(dict(refusal.properties), sort_keys=True).encode("ascii")
    return sha256(sha256(refusal.wire_bytes) + said)


def _refusal(row: RowMapping) -> Refusal:
    return Refusal(**described(row), wire_bytes=row["wire_bytes"])
