"""The outbox: publishes to be made, leased to one relay at a time.

A row is due when it is unsent and its `next_attempt_at` is empty or has come; a lease moves it ahead, so that a row
whose relay was killed comes due by itself. It is settled when its `sent_at` is set: the broker confirmed it, or it was
given up, which `last_error` then says (`expired`; `withdrawn` for what was signed anew or may not go any more). Settled
rows stay, they are the node's record of its publishes; those that are not `is_kept` carry their bytes themselves, so
that nothing of them is left when they are forgotten.

Order is urgent before normal, then the order of arrival, as far as several relays allow. What has failed before takes
at most half of a claim while something else is due: a destination that refuses everything slows nobody down for long.
What waits for its next attempt costs a claim nothing, however much it is: the index is in the order of coming due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    Subquery,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from bridge.adapters.store.kept_bytes import keep_wire
from bridge.adapters.store.tables import outbox, unsent, wire
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.adapters.store.waiting import count_waiting
from bridge.ports.store.records import OutboxRow, Waiting

# A lease lasts seconds and the longest back-off five minutes: what lies farther ahead was written by a wrong clock.
FARTHEST_AHEAD: Final = timedelta(minutes=10)
EXPIRED: Final = "expired"
WITHDRAWN: Final = "withdrawn"
LANES: Final = ("urgent", "normal")  # in the order of claiming

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
OUTBOX_COLUMNS: Final = tuple(outbox.c[name] for name in _COPIED)


class SqlOutbox:
    """Implements `bridge.ports.store.Outbox`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, rows: Sequence[OutboxRow]) -> None:
        """Stores the rows, due at once."""
        kept = [row if row.is_kept else replace(row, wire_bytes=b"") for row in rows]
        digests = await keep_wire(self._transaction, kept)
        values = [
            {name: getattr(row, name) for name in _COPIED}
            | {"wire_sha256": digest, "own_bytes": None if row.is_kept else row.wire_bytes}
            for row, digest in zip(rows, digests, strict=True)
        ]
        await self._transaction.change_each(insert(outbox), values)

    async def claim(
        self, relay: str, *, token: str, now: datetime, lease_seconds: float, limit: int, lane: str | None = None
    ) -> Sequence[OutboxRow]:
        """Leases due rows; rows that another transaction is claiming at this moment are passed over (PostgreSQL)."""
        positions: list[int] = []
        for each in (lane,) if lane else LANES:
            if len(positions) < limit:
                positions += await self._due(relay, each, now, limit - len(positions))
        rows = {}
        until = now + timedelta(seconds=lease_seconds)
        for part in in_parts(positions):
            lease = update(outbox).where(outbox.c.position.in_(part))
            await self._transaction.change(lease.values(lease_token=token, lease_until=until, next_attempt_at=until))
            columns = select(outbox.c.position, *OUTBOX_COLUMNS, outbox.c.own_bytes, wire.c.wire_bytes)
            query = columns.join(wire, wire.c.sha256 == outbox.c.wire_sha256).where(outbox.c.position.in_(part))
            rows.update({row["position"]: row for row in await self._transaction.rows(query)})
        return [read_outbox_row(rows[position]) for position in positions]

    async def first_due(self, relay: str, *, now: datetime, lane: str | None = None) -> datetime | None:
        """`now` where a row can be claimed, else when the first comes due that waits; `None`: nothing waits."""
        lanes = (lane,) if lane else LANES
        due = union_all(*(arm.subquery().select() for each in lanes for arm in _ranges(relay, each, now, 1)))
        if await self._transaction.rows(due):
            return now
        waiting = (
            select(func.min(outbox.c.next_attempt_at).label("first")).where(
                outbox.c.relay == relay, outbox.c.lane == each, unsent
            )
            for each in lanes
        )
        found = await self._transaction.rows(union_all(*waiting))
        return min((row["first"] for row in found if row["first"] is not None), default=None)

    async def renew(self, ids: Sequence[str], *, token: str, now: datetime, lease_seconds: float) -> int:
        """Prolongs what this lease still owns; answers how many."""
        until = now + timedelta(seconds=lease_seconds)
        return await self._change_owned(ids, token, {"lease_until": until, "next_attempt_at": until})

    async def release(self, ids: Sequence[str], *, token: str) -> int:
        """Gives rows that this lease still owns back as they were, due at once; answers how many."""
        return await self._settle(ids, token, {"next_attempt_at": None})

    async def mark_sent(self, ids: Sequence[str], *, token: str, now: datetime) -> int:
        """Marks rows that this lease still owns; answers how many."""
        return await self._settle(ids, token, {"sent_at": now})

    async def mark_failed(self, ids: Sequence[str], *, token: str, next_attempt_at: datetime, error: str) -> int:
        """Gives rows that this lease still owns back, to be tried again later; answers how many."""
        tried = {"attempts": outbox.c.attempts + 1, "next_attempt_at": next_attempt_at, "last_error": error}
        return await self._settle(ids, token, tried)

    async def hasten(
        self, relay: str, places: Collection[tuple[str, str]], *, error: str, now: datetime, limit: int
    ) -> int:
        """Makes rows to these places (country, lane) that wait after this error due now; answers how many."""
        hastened = 0
        for country, lane in sorted(places):
            waiting = (
                select(outbox.c.position)
                .where(outbox.c.relay == relay, outbox.c.lane == lane, unsent, outbox.c.next_attempt_at > now)
                .where(outbox.c.country == country, outbox.c.last_error == error, outbox.c.lease_token.is_(None))
                .order_by(outbox.c.next_attempt_at, outbox.c.position)
                .limit(limit)
                .with_for_update(skip_locked=True)
            )
            positions = [row["position"] for row in await self._transaction.rows(waiting)]
            for part in in_parts(positions):
                due = update(outbox).where(outbox.c.position.in_(part)).values(next_attempt_at=now)
                hastened += await self._transaction.change(due)
        return hastened

    async def mark_expired(self, ids: Sequence[str], *, token: str, now: datetime) -> int:
        """Gives up rows that this lease still owns; answers how many."""
        return await self._settle(ids, token, {"sent_at": now, "last_error": EXPIRED})

    async def waiting_ids(self, relay: str, *, now: datetime) -> Sequence[str]:
        """The rows that wait, due or not, and are leased by nobody: all at once, each look walks over all of them."""
        query = select(outbox.c.id).where(outbox.c.relay == relay, unsent, _over(outbox.c.lease_until, now))
        return [row["id"] for row in await self._transaction.rows(query)]

    async def waiting_rows(self, ids: Sequence[str]) -> Sequence[OutboxRow]:
        """Those of these rows that still wait."""
        columns = select(*OUTBOX_COLUMNS, outbox.c.own_bytes, wire.c.wire_bytes)
        query = columns.join(wire, wire.c.sha256 == outbox.c.wire_sha256).where(outbox.c.id.in_(ids), unsent)
        return [read_outbox_row(row) for row in await self._transaction.rows(query)]

    async def withdraw(self, ids: Sequence[str], now: datetime) -> None:
        """Settles rows that still wait, leased or not, without a publish."""
        for part in in_parts(ids):
            await self._transaction.change(update(outbox).where(outbox.c.id.in_(part), unsent).values(withdrawn(now)))

    async def backlog(self, relay: str) -> tuple[int, datetime | None]:
        """How many rows wait, and when the oldest was made. Reads the waiting rows, not the sent ones."""
        waiting = select(func.count().label("count"), func.min(outbox.c.created_at).label("oldest"))
        row = (await self._transaction.rows(waiting.where(outbox.c.relay == relay, unsent)))[0]
        return row["count"], row["oldest"]

    async def waiting(self) -> Sequence[Waiting]:
        """What waits, counted by where it is to go and by its last error."""
        return await count_waiting(self._transaction)

    async def _due(self, relay: str, lane: str, now: datetime, limit: int) -> list[int]:
        """The positions of rows of one lane to be leased, in order."""
        query = union_all(
            *(
                select(arm.c.position, literal(index).label("tried"))
                for index, arm in enumerate(_arms(relay, lane, now, limit))
            )
        )
        found = await self._transaction.rows(query)
        fresh = [row["position"] for row in found if not row["tried"]]
        tried = [row["position"] for row in found if row["tried"]]
        return sorted(fresh + tried[: max(limit - len(fresh), (limit + 1) // 2)])[:limit]

    async def _settle(self, ids: Sequence[str], token: str, values: dict[str, object]) -> int:
        return await self._change_owned(ids, token, {"lease_token": None, "lease_until": None} | values)

    async def _change_owned(self, ids: Sequence[str], token: str, values: dict[str, object]) -> int:
        changed = 0
        for part in in_parts(ids):
            owned = update(outbox).where(outbox.c.id.in_(part), outbox.c.lease_token == token, unsent)
            changed += await self._transaction.change(owned.values(values))
        return changed


def withdrawn(now: datetime) -> dict[str, object]:
    """What becomes of a row that is settled without a publish, whoever leased it."""
    return {"sent_at": now, "last_error": WITHDRAWN, "lease_token": None, "lease_until": None}


def _arms(relay: str, lane: str, now: datetime, limit: int) -> Iterator[Subquery]:
    """The ranges for a claim, which passes over what another one holds."""
    for rows in _ranges(relay, lane, now, limit):
        yield rows.with_for_update(skip_locked=True).subquery()


def _ranges(relay: str, lane: str, now: datetime, limit: int) -> Iterator[Select[tuple[int]]]:
    """Each a range of the index: never tried, due again, and moved ahead by a wrong clock."""
    moment = outbox.c.next_attempt_at
    for due in (moment.is_(None), moment <= now, moment > now + FARTHEST_AHEAD):
        rows = select(outbox.c.position).where(outbox.c.relay == relay, outbox.c.lane == lane, unsent, due)
        # A program of the first release leases by lease_until alone.
        rows = rows.where(_over(outbox.c.lease_until, now)).order_by(moment, outbox.c.position)
        yield rows.limit(limit)


def read_outbox_row(row: RowMapping) -> OutboxRow:
    """The row with `OUTBOX_COLUMNS`, its own bytes, and those that it refers to."""
    own_bytes = row["own_bytes"]
    wire_bytes = row["wire_bytes"] if own_bytes is None else own_bytes
    return OutboxRow(**{name: row[name] for name in _COPIED}, wire_bytes=wire_bytes, is_kept=own_bytes is None)


def _over(moment: ColumnElement[datetime], now: datetime) -> ColumnElement[bool]:
    return or_(moment.is_(None), moment <= now, moment > now + FARTHEST_AHEAD)
