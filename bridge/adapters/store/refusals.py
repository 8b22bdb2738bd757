"""Quarantine (refused until somebody acts) and held (to be verified again), each with its own copy of the raw bytes.

What is stored here was written by strangers. Text that a database would not take (NUL, lone surrogates) is escaped, so
that no message can be too broken to be quarantined; the same bytes again are counted, not kept again; and both tables
have quotas, kept exactly: whoever writes here takes its turn.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, bindparam, delete, func, insert, null, or_, select, update

from bridge.adapters.store.refusal_tables import held, quarantine, quarantine_total
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.core.wire import base64url
from bridge.ports.store.records import Quarantined, QuarantineTotal, Refusal

ROUTER: Final = ""  # the holder of what no contact point holds

_SEEN_AGAIN: Final = (
    update(quarantine)
    .where(quarantine.c.id == bindparam("at_id"))
    .values(seen=quarantine.c.seen + bindparam("times"), last_seen_at=bindparam("again_at", type_=quarantine.c.at.type))
)
_JUDGED_AGAIN: Final = (
    update(held)
    .where(held.c.id == bindparam("at_id"), held.c.code != bindparam("new_code"))
    .values(code=bindparam("new_code"), step=bindparam("new_step"), detail=bindparam("new_detail"))
)
_LISTED: Final = [column for column in quarantine.c if column.name != "wire_bytes"]
_HAS_BYTES: Final = quarantine.c.wire_bytes.is_not(None).label("has_bytes")


class SqlRefusals:
    """Implements `bridge.ports.store.Refusals`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def quarantine(self, refusals: Sequence[Refusal], *, quota_bytes: int) -> Sequence[str]:
        """Keeps each once and counts the rest, without bytes beyond the quota; answers the ids that were new."""
        if not refusals:
            return []
        await self._transaction.take_turn("quarantine")
        known = await self._quarantined(refusals)
        total = await self.total()
        room = quota_bytes - total.kept_bytes
        fresh: list[dict[str, object]] = []
        seen_again: Counter[str] = Counter()
        last_seen: dict[str, datetime] = {}
        for refusal in refusals:
            key = (_holder(refusal.contact_point), refusal.code, _sha256(refusal.wire_bytes))
            if key in known:
                seen_again[known[key]] += 1
                last_seen[known[key]] = refusal.at
                continue
            known[key] = refusal.id
            fits = refusal.size <= room
            room -= refusal.size if fits else 0
            kept = {"wire_bytes": refusal.wire_bytes if fits else None, "seen": 1, "last_seen_at": refusal.at}
            fresh.append(_values(refusal) | kept)
        await self._transaction.change_each(insert(quarantine), fresh)
        counted = [{"at_id": own, "times": times, "again_at": last_seen[own]} for own, times in seen_again.items()]
        await self._transaction.change_each(_SEEN_AGAIN, counted)
        if fresh:
            without = sum(values["wire_bytes"] is None for values in fresh)
            await self._set_total(QuarantineTotal(quota_bytes - room, total.without_bytes + without))
        return [str(values["id"]) for values in fresh]

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
            key = (_holder(refusal.contact_point), _arrival_sha256(refusal))
            if key in known:
                continue
            if refusal.size <= room.get(refusal.code, 0):
                room[refusal.code] -= refusal.size
                known.add(key)
                kept.append(_values(refusal) | {"arrival_sha256": key[1], "wire_bytes": refusal.wire_bytes})
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
                "new_detail": _storable(refusal.detail),
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
            .where(held.c.holder.in_([_holder(holder) for holder in holders]))
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
            .where(held.c.holder.in_([_holder(holder) for holder in holders]))
            .where(held.c.at < since_before, held.c.tried_at.is_not(None))
            .order_by(held.c.position)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [_refusal(row) for row in await self._transaction.rows(query)]

    async def drop_held(self, ids: Sequence[str]) -> None:
        """Forgets held messages that found their verdict."""
        for part in in_parts(ids):
            await self._transaction.change(delete(held).where(held.c.id.in_(part)))

    async def list(self, *, code: str | None = None, limit: int = 200) -> Sequence[Quarantined]:
        """Quarantine, newest first, without the raw bytes."""
        query = select(*_LISTED, _HAS_BYTES, null().label("wire_bytes")).order_by(quarantine.c.position.desc())
        if code is not None:
            query = query.where(quarantine.c.code == code)
        return [_quarantined(row) for row in await self._transaction.rows(query.limit(limit))]

    async def get(self, refusal_id: str) -> Quarantined | None:
        """One quarantined message, with its raw bytes if they were kept."""
        query = select(quarantine, _HAS_BYTES).where(quarantine.c.id == refusal_id)
        rows = await self._transaction.rows(query)
        return _quarantined(rows[0]) if rows else None

    async def counts(self) -> tuple[Mapping[str, int], int]:
        """Quarantined by code, and how many are held. What came again counts once."""
        by_code = select(quarantine.c.code, func.count().label("count")).group_by(quarantine.c.code)
        counted = {row["code"]: row["count"] for row in await self._transaction.rows(by_code)}
        waiting = await self._transaction.rows(select(func.count().label("count")).select_from(held))
        return counted, waiting[0]["count"]

    async def total(self) -> QuarantineTotal:
        """How much room the quarantine takes."""
        rows = await self._transaction.rows(select(quarantine_total))
        return QuarantineTotal(rows[0]["kept_bytes"], rows[0]["without_bytes"]) if rows else QuarantineTotal()

    async def _set_total(self, total: QuarantineTotal) -> None:
        values = {"kept_bytes": total.kept_bytes, "without_bytes": total.without_bytes}
        adding = self._transaction.insert(quarantine_total)
        upsert = adding.on_conflict_do_update(index_elements=quarantine_total.primary_key, set_=values)
        await self._transaction.change_each(upsert, [values | {"id": 1}])

    async def _quarantined(self, refusals: Sequence[Refusal]) -> dict[tuple[str, str, bytes], str]:
        """(holder, code, SHA-256) -> id, of those of these bytes that are in quarantine already."""
        known: dict[tuple[str, str, bytes], str] = {}
        own = quarantine.c
        for part in in_parts([_sha256(refusal.wire_bytes) for refusal in refusals]):
            query = select(own.id, own.holder, own.code, own.sha256).where(own.sha256.in_(part))
            for row in await self._transaction.rows(query):
                known[row["holder"], row["code"], row["sha256"]] = row["id"]
        return known

    async def _held(self, refusals: Sequence[Refusal]) -> set[tuple[str, bytes]]:
        """(holder, SHA-256 of bytes and properties), of those of these that are held already."""
        known: set[tuple[str, bytes]] = set()
        for part in in_parts([_arrival_sha256(refusal) for refusal in refusals]):
            query = select(held.c.holder, held.c.arrival_sha256).where(held.c.arrival_sha256.in_(part))
            known |= {(row["holder"], row["arrival_sha256"]) for row in await self._transaction.rows(query)}
        return known


def _holder(contact_point: str | None) -> str:
    return ROUTER if contact_point is None else contact_point


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _arrival_sha256(refusal: Refusal) -> bytes:
    said = json.dumps(dict(refusal.properties), sort_keys=True).encode("ascii")
    return _sha256(_sha256(refusal.wire_bytes) + said)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _values(refusal: Refusal) -> dict[str, object]:
    return {
        "id": refusal.id,
        "code": refusal.code,
        "step": refusal.step,
        "detail": _storable(refusal.detail),
        "at": refusal.at,
        "queue": _storable(refusal.queue),
        "holder": _holder(refusal.contact_point),
        "properties": {name: value and _storable(value) for name, value in refusal.properties.items()},
        "size": refusal.size,
        "sha256": _sha256(refusal.wire_bytes),
        "replays": refusal.replays,
    }


def _described(row: RowMapping) -> dict[str, Any]:
    """What both tables say of a refusal."""
    names = ("id", "code", "step", "detail", "at", "queue", "properties", "replays")
    return {name: row[name] for name in names} | {"contact_point": row["holder"] or None}


def _refusal(row: RowMapping) -> Refusal:
    return Refusal(**_described(row), wire_bytes=row["wire_bytes"])


def _quarantined(row: RowMapping) -> Quarantined:
    return Quarantined(
        **_described(row),
        size=row["size"],
        sha256=base64url.encode(row["sha256"]),
        has_bytes=bool(row["has_bytes"]),
        wire_bytes=row["wire_bytes"],
        seen=row["seen"],
        last_seen_at=row["last_seen_at"],
    )
