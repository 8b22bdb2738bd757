"""The numbers that our contact points are missing: what their senders say of them, and when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Float,
    RowMapping,
    Select,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from bridge.adapters.store.each_named import each_named
from bridge.adapters.store.sequence import VOID_PREFIX
from bridge.adapters.store.streams import STREAM_KEY, Stream, StreamKey, known_streams, load_missing, open_streams
from bridge.adapters.store.streams import save_streams as save
from bridge.adapters.store.tables import sequence_gap, sequence_number, sequence_stream
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.no_gap import MissingRange, NumberRange, Pair, VoidNumber

# After so long in a gap, then after so long again, a number is asked for: 1, 10 and 60 minutes after it was missed, and
# every six hours from then on.
ASK_AGAIN_AFTER: Final = (timedelta(minutes=1), timedelta(minutes=9), timedelta(minutes=50), timedelta(hours=6))
# Of one sender: each epoch that it names costs rows, and an honest one names a new one after a restore only.
STREAMS_UNHEARD: Final = 16
_RANGE: Final = (*STREAM_KEY, "first", "last", "missed_at", "asked", "asked_at")

_ASKED: Final = (
    update(sequence_gap)
    .where(sequence_gap.c.stream_id == bindparam("at_id"))
    .where(sequence_gap.c.first == bindparam("at_first"))
    .values(
        last=bindparam("to_last"),
        asked=sequence_gap.c.asked + 1,
        asked_at=bindparam("at", type_=sequence_gap.c.asked_at.type),
    )
)


class SqlGaps:
    """Implements `bridge.ports.store.no_gap.Gaps`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def note_used(self, ranges: Sequence[NumberRange], at: datetime) -> Sequence[NumberRange]:
        """A sender says that it has used these: those that never came are missing from now on.

        Answers those that it does not heed: of streams that nothing ever came in, while there are `STREAMS_UNHEARD`.
        """
        ranges = [one for one in ranges if one.count]
        if not ranges:
            return []
        # A stream that nobody knew begins empty, in front of the first number.
        wanted = {_key(one): (one.first, one.first - 1) for one in reversed(ranges)}
        streams = await known_streams(self._transaction, wanted)
        new = await self._with_room([key for key in wanted if key not in streams])
        if new:
            streams |= await open_streams(self._transaction, {key: wanted[key] for key in new})
        for one in ranges:
            if _key(one) in streams:
                streams[_key(one)].cover(one.first, one.last, at)
        await save(self._transaction, streams.values())
        return [one for one in ranges if _key(one) not in streams]

    async def _with_room(self, new: Sequence[StreamKey]) -> Sequence[StreamKey]:
        """Those that may be opened before anything came in them; a void number is nothing that came."""
        if not new:
            return []
        stream, number = sequence_stream.c, sequence_number.c
        came = exists().where(number.stream_id == stream.id, number.message_id.not_like(f"{VOID_PREFIX}%"))
        unheard: Counter[Pair] = Counter()
        for part in in_parts(sorted({key[:2] for key in new})):
            query = select(stream.recipient, stream.sender, func.count().label("count")).where(~came)
            query = query.where(tuple_(stream.recipient, stream.sender).in_(part))
            for row in await self._transaction.rows(query.group_by(stream.recipient, stream.sender)):
                unheard[row["recipient"], row["sender"]] = row["count"]
        allowed = []
        for key in reversed(new):  # in the order in which they were said
            if unheard[key[:2]] < STREAMS_UNHEARD:
                unheard[key[:2]] += 1
                allowed.append(key)
        return allowed

    async def void(self, numbers: Sequence[VoidNumber]) -> Sequence[VoidNumber]:
        """A sender says that these never come: answers those that were missing and asked for, which now are not."""
        if not numbers:
            return []
        streams = await known_streams(self._transaction, [_key(one) for one in numbers])
        once = {(_key(one), one.number): one for one in reversed(numbers)}
        known = [one for one in reversed(once.values()) if _key(one) in streams]
        late: dict[int, list[int]] = {}
        for one in known:
            late.setdefault(streams[_key(one)].id, []).append(one.number)
        await load_missing(self._transaction, streams.values(), late)
        voided = [one for one in known if _close_asked(streams[_key(one)], one.number)]
        rows = [{"stream_id": streams[_key(one)].id, "number": one.number, "message_id": one.code} for one in voided]
        await self._transaction.change_each(self._transaction.insert(sequence_number).on_conflict_do_nothing(), rows)
        await save(self._transaction, streams.values())
        return voided

    async def due(self, contact_points: Collection[str], now: datetime, *, limit: int) -> Sequence[MissingRange]:
        """What these contact points are to ask for now: at most `limit` ranges of each sender, the least asked first.

        For each sender by itself: one whose numbers are nonsense must not stand in the way of the others.
        """
        gap, stream = sequence_gap.c, sequence_stream.c
        order = (gap.asked, gap.missed_at, gap.stream_id, gap.first)
        place = func.row_number().over(partition_by=(stream.recipient, stream.sender), order_by=order).label("place")
        due = _ranges(place).where(stream.recipient.in_(contact_points), _is_due(now)).subquery()
        query = select(due).where(due.c.place <= limit).order_by(due.c.recipient, due.c.sender, due.c.place)
        return [_range(row) for row in await self._transaction.rows(query)]

    async def outstanding(self, contact_points: Collection[str]) -> Mapping[Pair, int]:
        """(recipient, sender) -> how many numbers were asked for and have not come."""
        gap, stream = sequence_gap.c, sequence_stream.c
        query = (
            select(stream.recipient, stream.sender, _numbers().label("count"))
            .join(sequence_gap, gap.stream_id == stream.id)
            .where(stream.recipient.in_(contact_points), gap.asked > 0)
            .group_by(stream.recipient, stream.sender)
        )
        return {(row["recipient"], row["sender"]): int(row["count"]) for row in await self._transaction.rows(query)}

    async def mark_asked(self, ranges: Sequence[MissingRange], at: datetime) -> None:
        """Notes that they were asked for; a range that begins like a longer one in the store is cut off from it."""
        if not ranges:
            return
        gap = sequence_gap.c
        streams = await known_streams(self._transaction, [_key(one) for one in ranges])
        asked = {(streams[_key(one)].id, one.first): one for one in ranges if _key(one) in streams}
        query = select(sequence_gap)
        rows = [
            row
            for part in in_parts(list(asked))
            for row in await self._transaction.rows(query.where(tuple_(gap.stream_id, gap.first).in_(part)))
            if row["last"] >= asked[row["stream_id"], row["first"]].last
        ]
        rest = [
            dict(row) | {"first": asked[row["stream_id"], row["first"]].last + 1}
            for row in rows
            if row["last"] > asked[row["stream_id"], row["first"]].last
        ]
        marks = [
            {
                "at_id": row["stream_id"],
                "at_first": row["first"],
                "to_last": asked[row["stream_id"], row["first"]].last,
                "at": at,
            }
            for row in rows
        ]
        await self._transaction.change_each(_ASKED, marks)
        await self._transaction.change_each(insert(sequence_gap), rest)

    async def named(self, *, older_than: datetime, limit: int) -> Sequence[MissingRange]:
        """The ranges first missed before a moment, the longest missed first: one of each pair and lane, then others."""
        gap, stream = sequence_gap.c, sequence_stream.c
        query = each_named(
            _ranges().where(gap.missed_at < older_than),
            group=(stream.recipient, stream.sender, stream.lane),
            order=(gap.missed_at, gap.stream_id, gap.first),
            limit=limit,
        )
        return [_range(row) for row in await self._transaction.rows(query)]

    async def counted(self, *, older_than: datetime) -> Mapping[Pair, int]:
        """(recipient, sender) -> how many numbers were first missed before a moment."""
        gap, stream = sequence_gap.c, sequence_stream.c
        query = (
            select(stream.recipient, stream.sender, _numbers().label("count"))
            .join(sequence_gap, gap.stream_id == stream.id)
            .where(gap.missed_at < older_than)
            .group_by(stream.recipient, stream.sender)
        )
        return {(row["recipient"], row["sender"]): int(row["count"]) for row in await self._transaction.rows(query)}


def _ranges(*more: ColumnElement[int]) -> Select[*tuple[object, ...]]:
    gap = sequence_gap.c
    columns = [sequence_stream.c[name] for name in STREAM_KEY]
    return select(*columns, gap.first, gap.last, gap.missed_at, gap.asked, gap.asked_at, *more).join(
        sequence_gap, gap.stream_id == sequence_stream.c.id
    )


def _numbers() -> ColumnElement[float]:
    """Added up as floating point: a few ranges hold more than an integer of the database."""
    return func.sum(cast(sequence_gap.c.last - sequence_gap.c.first + 1, Float))


def _range(row: RowMapping) -> MissingRange:
    return MissingRange(**{name: row[name] for name in _RANGE})


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Asked last, or missed, long enough ago. What lies ahead of now was noted by a wrong clock, and is due."""
    gap = sequence_gap.c
    first, *again = ASK_AGAIN_AFTER
    by_times = [and_(gap.asked == times, gap.asked_at <= now - after) for times, after in enumerate(again, start=1)]
    return or_(
        and_(gap.asked == 0, or_(gap.missed_at <= now - first, gap.missed_at > now)),
        *by_times,
        and_(gap.asked > len(again), gap.asked_at <= now - again[-1]),
        gap.asked_at > now,
    )


def _close_asked(stream: Stream, number: int) -> bool:
    gap = stream.gap_of(number)
    if gap is None or not gap.asked:
        return False
    stream.close(number)
    return True


def _key(one: NumberRange | VoidNumber) -> StreamKey:
    return (one.recipient, one.sender, one.epoch, one.lane)
