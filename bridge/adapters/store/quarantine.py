"""Quarantine: refused until somebody acts, each with its own copy of the raw bytes, within a quota.

The same bytes for the same holder and code are one entry, counted and not kept again. Whoever writes here takes its
turn, so that the quota and the total of what is kept are exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, Select, bindparam, delete, insert, null, select, update

from bridge.adapters.store.refusal_rows import described, holder_of, sha256, storable, values_of
from bridge.adapters.store.refusal_tables import quarantine, quarantine_return, quarantine_total
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.core.wire import base64url
from bridge.ports.store.records import Quarantined, QuarantineTotal, Refusal

_SEEN_AGAIN: Final = (
    update(quarantine)
    .where(quarantine.c.id == bindparam("at_id"))
    .values(seen=quarantine.c.seen + bindparam("times"), last_seen_at=bindparam("again_at", type_=quarantine.c.at.type))
)
_REFUSED_AGAIN: Final = (
    update(quarantine)
    .where(quarantine.c.id == bindparam("at_id"))
    .values(
        code=bindparam("new_code"),
        step=bindparam("new_step"),
        detail=bindparam("new_detail"),
        replays=quarantine.c.replays + 1,
    )
)
_LISTED: Final = [column for column in quarantine.c if column.name != "wire_bytes"]
_HAS_BYTES: Final = quarantine.c.wire_bytes.is_not(None).label("has_bytes")
_RETURNED_AT: Final = quarantine_return.c.returned_at
_WITH_RETURN: Final = quarantine.outerjoin(quarantine_return, quarantine_return.c.quarantine_id == quarantine.c.id)
_WITHOUT_BYTES: Final = select(*_LISTED, _HAS_BYTES, _RETURNED_AT, null().label("wire_bytes")).select_from(_WITH_RETURN)
_WHOLE: Final = select(quarantine, _HAS_BYTES, _RETURNED_AT).select_from(_WITH_RETURN)


class SqlQuarantine:
    """Implements `bridge.ports.store.refusals.Quarantine`."""

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
            key = (holder_of(refusal.contact_point), refusal.code, sha256(refusal.wire_bytes))
            if key in known:
                seen_again[known[key]] += 1
                last_seen[known[key]] = refusal.at
                continue
            known[key] = refusal.id
            fits = refusal.size <= room
            room -= refusal.size if fits else 0
            kept = {"wire_bytes": refusal.wire_bytes if fits else None, "seen": 1, "last_seen_at": refusal.at}
            fresh.append(values_of(refusal) | kept)
        await self._transaction.change_each(insert(quarantine), fresh)
        counted = [{"at_id": own, "times": times, "again_at": last_seen[own]} for own, times in seen_again.items()]
        await self._transaction.change_each(_SEEN_AGAIN, counted)
        if fresh:
            without = sum(values["wire_bytes"] is None for values in fresh)
            await self._set_total(QuarantineTotal(quota_bytes - room, total.without_bytes + without))
        return [str(values["id"]) for values in fresh]

    async def list(self, *, code: str | None = None, limit: int = 200) -> Sequence[Quarantined]:
        """Quarantine, newest first, without the raw bytes."""
        query = _WITHOUT_BYTES.order_by(quarantine.c.position.desc()).limit(limit)
        if code is not None:
            query = query.where(quarantine.c.code == code)
        return [_quarantined(row) for row in await self._transaction.rows(query)]

    async def get(self, refusal_id: str) -> Quarantined | None:
        """One quarantined message, with its raw bytes if they were kept."""
        found = await self.with_bytes([refusal_id])
        return found[0] if found else None

    async def pick(
        self,
        *,
        ids: Sequence[str] | None = None,
        code: str | None = None,
        holders: Collection[str | None] | None = None,
    ) -> Sequence[Quarantined]:
        """All entries to which everything given applies, without the raw bytes, oldest first."""
        query = _WITHOUT_BYTES
        if code is not None:
            query = query.where(quarantine.c.code == code)
        if holders is not None:
            query = query.where(quarantine.c.holder.in_([holder_of(holder) for holder in holders]))
        return await self._in_order(query, ids)

    async def with_bytes(self, ids: Sequence[str]) -> Sequence[Quarantined]:
        """The entries with these ids that are there, with their raw bytes if they were kept, oldest first."""
        return await self._in_order(_WHOLE, ids)

    async def refuse_again(self, refusals: Sequence[Refusal]) -> None:
        """Notes the newest verdict on entries that were replayed, by id; what is under the new code already joins."""
        if not refusals:
            return
        await self._transaction.take_turn("quarantine")
        for refusal in refusals:
            await self._absorb(refusal)
            newest = {"new_code": refusal.code, "new_step": refusal.step, "new_detail": storable(refusal.detail)}
            await self._transaction.change_each(_REFUSED_AGAIN, [{"at_id": refusal.id, **newest}])

    async def take_out(self, ids: Sequence[str]) -> Sequence[Quarantined]:
        """Destroys entries with their bytes; answers, without bytes, those that were there, oldest first."""
        if not ids:
            return []
        await self._transaction.take_turn("quarantine")
        there = await self._in_order(_WITHOUT_BYTES, ids)
        for part in in_parts([one.id for one in there]):
            # Named here as well: the schema's own cascade is no promise of this module.
            await self._transaction.change(delete(quarantine_return).where(quarantine_return.c.quarantine_id.in_(part)))
            await self._transaction.change(delete(quarantine).where(quarantine.c.id.in_(part)))
        if there:
            total = await self.total()
            kept_bytes = sum(one.size for one in there if one.has_bytes)
            without = sum(not one.has_bytes for one in there)
            await self._set_total(QuarantineTotal(total.kept_bytes - kept_bytes, total.without_bytes - without))
        return there

    async def note_returned(self, refusal_id: str, *, at: datetime, receipt_id: str) -> None:
        """Notes that the sender was told; the newest time counts."""
        adding = self._transaction.insert(quarantine_return)
        values = {"returned_at": at, "receipt_id": receipt_id}
        upsert = adding.on_conflict_do_update(index_elements=quarantine_return.primary_key, set_=values)
        await self._transaction.change_each(upsert, [values | {"quarantine_id": refusal_id}])

    async def total(self) -> QuarantineTotal:
        """How much room the quarantine takes."""
        rows = await self._transaction.rows(select(quarantine_total))
        return QuarantineTotal(rows[0]["kept_bytes"], rows[0]["without_bytes"]) if rows else QuarantineTotal()

    async def _absorb(self, refusal: Refusal) -> None:
        """Makes one of a replayed entry and of another with its bytes and holder under the code it has now."""
        own, other = quarantine.alias(), quarantine.alias()
        query = (
            select(other.c.id, other.c.seen, other.c.last_seen_at, other.c.replays)
            .join(own, (own.c.sha256 == other.c.sha256) & (own.c.holder == other.c.holder) & (own.c.id != other.c.id))
            .where(own.c.id == refusal.id, other.c.code == refusal.code)
        )
        for row in await self._transaction.rows(query):
            returned = await self._last_return([refusal.id, row["id"]])
            await self.take_out([row["id"]])
            own_row, last = quarantine.c.id == refusal.id, row["last_seen_at"]
            values = {"seen": quarantine.c.seen + row["seen"], "replays": quarantine.c.replays + row["replays"]}
            await self._transaction.change(update(quarantine).where(own_row).values(**values))
            later = own_row & (quarantine.c.last_seen_at < last)
            await self._transaction.change(update(quarantine).where(later).values(last_seen_at=last))
            if returned is not None:
                at, receipt_id = returned["returned_at"], returned["receipt_id"]
                await self.note_returned(refusal.id, at=at, receipt_id=receipt_id)

    async def _last_return(self, ids: Sequence[str]) -> RowMapping | None:
        query = (
            select(quarantine_return).where(quarantine_return.c.quarantine_id.in_(ids)).order_by(_RETURNED_AT.desc())
        )
        rows = await self._transaction.rows(query.limit(1))
        return rows[0] if rows else None

    async def _in_order(self, query: Select[Any], ids: Sequence[str] | None) -> Sequence[Quarantined]:
        """The query's entries, of these ids if any are given, oldest first."""
        parts = [query] if ids is None else [query.where(quarantine.c.id.in_(part)) for part in in_parts(ids)]
        rows = [row for part in parts for row in await self._transaction.rows(part)]
        return [_quarantined(row) for row in sorted(rows, key=lambda row: int(row["position"]))]

    async def _set_total(self, total: QuarantineTotal) -> None:
        values = {"kept_bytes": total.kept_bytes, "without_bytes": total.without_bytes}
        adding = self._transaction.insert(quarantine_total)
        upsert = adding.on_conflict_do_update(index_elements=quarantine_total.primary_key, set_=values)
        await self._transaction.change_each(upsert, [values | {"id": 1}])

    async def _quarantined(self, refusals: Sequence[Refusal]) -> dict[tuple[str, str, bytes], str]:
        """(holder, code, SHA-256) -> id, of those of these bytes that are in quarantine already."""
        known: dict[tuple[str, str, bytes], str] = {}
        own = quarantine.c
        for part in in_parts([sha256(refusal.wire_bytes) for refusal in refusals]):
            query = select(own.id, own.holder, own.code, own.sha256).where(own.sha256.in_(part))
            for row in await self._transaction.rows(query):
                known[row["holder"], row["code"], row["sha256"]] = row["id"]
        return known


def _quarantined(row: RowMapping) -> Quarantined:
    return Quarantined(
        **described(row),
        size=row["size"],
        sha256=base64url.encode(row["sha256"]),
        has_bytes=bool(row["has_bytes"]),
        wire_bytes=row["wire_bytes"],
        seen=row["seen"],
        last_seen_at=row["last_seen_at"],
        returned_at=row["returned_at"],
    )
