"""The receiver's book of signed numbers: which were used, which are missing, which were used twice.

A stream is one sender's numbers towards one of our contact points, in one epoch and lane. Its first number begins it.
Missing numbers are kept as ranges, so that a sender who jumps by a billion costs one row. `count_missing` adds up the
ranges; `missing_numbers` lists at most `LISTED_OF_A_RANGE` numbers of each and `LISTED` in all, and more once those
have come.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import Float, bindparam, cast, delete, func, insert, select, update

from bridge.adapters.store.tables import sequence_gap, sequence_number, sequence_stream
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.records import SequenceUse

LISTED_OF_A_RANGE: Final = 1000
LISTED: Final = 10_000

_StreamKey = tuple[str, str, int, str]  # recipient, sender, epoch, lane
_Ranges = dict[int, tuple[int, datetime]]  # first missing number -> (last missing number, when missed)

_MOVE: Final = (
    update(sequence_stream)
    .where(sequence_stream.c.id == bindparam("at_id"))
    .values(lowest=bindparam("to_lowest"), highest=bindparam("to_highest"))
)
_CLOSE: Final = (
    delete(sequence_gap)
    .where(sequence_gap.c.stream_id == bindparam("at_id"))
    .where(sequence_gap.c.first == bindparam("at_first"))
)


@dataclass(slots=True)
class Stream:
    """One stream while a batch is noted: its bounds, and the missing ranges between them that matter to the batch."""

    id: int
    lowest: int
    highest: int
    missing: _Ranges = field(default_factory=dict)

    def take(self, number: int, at: datetime) -> None:
        """Notes a new number: beyond the bounds it opens a gap for those skipped, within them it closes one."""
        if number > self.highest:
            self._open(self.highest + 1, number - 1, at)
            self.highest = number
        elif number < self.lowest:
            self._open(number + 1, self.lowest - 1, at)
            self.lowest = number
        else:
            self._close(number)

    def _open(self, first: int, last: int, at: datetime) -> None:
        if first <= last:
            self.missing[first] = (last, at)

    def _close(self, number: int) -> None:
        for first, (last, at) in self.missing.items():
            if first <= number <= last:
                del self.missing[first]
                self._open(first, number - 1, at)
                self._open(number + 1, last, at)
                return


async def note_numbers(transaction: Transaction, uses: Sequence[SequenceUse], at: datetime) -> Sequence[SequenceUse]:
    """Notes used numbers, opens and closes gaps; answers the uses whose number another message had used."""
    streams = await _streams(transaction, uses)
    used = await _used(transaction, streams, uses)
    await _load_missing(transaction, streams, uses, used)
    before = {stream.id: (stream.lowest, stream.highest, dict(stream.missing)) for stream in streams.values()}
    reused: list[SequenceUse] = []
    fresh: list[dict[str, object]] = []
    for use in uses:
        stream = streams[_key(use)]
        user = used.get((stream.id, use.number))
        if user is None:
            used[stream.id, use.number] = use.message_id
            fresh.append({"stream_id": stream.id, "number": use.number, "message_id": use.message_id})
            stream.take(use.number, at)
        elif user != use.message_id:
            reused.append(use)
    await transaction.change_each(transaction.insert(sequence_number).on_conflict_do_nothing(), fresh)
    moves: list[dict[str, object]] = []
    closed: list[dict[str, object]] = []
    opened: list[dict[str, object]] = []
    for stream in streams.values():
        lowest, highest, missing = before[stream.id]
        if (stream.lowest, stream.highest) != (lowest, highest):
            moves.append({"at_id": stream.id, "to_lowest": stream.lowest, "to_highest": stream.highest})
        changed = dict(missing.items() ^ stream.missing.items())
        closed += [{"at_id": stream.id, "at_first": first} for first in changed if first in missing]
        opened += [
            {"stream_id": stream.id, "first": first, "last": last, "missed_at": since}
            for first, (last, since) in stream.missing.items()
            if first in changed
        ]
    await transaction.change_each(_MOVE, moves)
    await transaction.change_each(_CLOSE, closed)
    await transaction.change_each(insert(sequence_gap), opened)
    return reused


async def missing_numbers(
    transaction: Transaction, *, older_than: datetime
) -> Sequence[tuple[str, str, int, str, int]]:
    """Numbers first missed before a moment, the longest missed first: (recipient, sender, epoch, lane, number)."""
    stream = sequence_stream.c
    query = (
        select(stream.recipient, stream.sender, stream.epoch, stream.lane, sequence_gap.c.first, sequence_gap.c.last)
        .join(sequence_gap, sequence_gap.c.stream_id == stream.id)
        .where(sequence_gap.c.missed_at < older_than)
        .order_by(sequence_gap.c.missed_at, stream.id, sequence_gap.c.first)
        .limit(LISTED)
    )
    numbers = (
        (row["recipient"], row["sender"], row["epoch"], row["lane"], number)
        for row in await transaction.rows(query)
        for number in range(row["first"], min(row["last"], row["first"] + LISTED_OF_A_RANGE - 1) + 1)
    )
    return list(islice(numbers, LISTED))


async def count_missing(transaction: Transaction, *, older_than: datetime) -> int:
    """How many numbers were first missed before a moment; exact up to 2^53."""
    # In floating point: a stranger chooses epochs and numbers, and the integers of a database overflow.
    lengths = cast(sequence_gap.c.last - sequence_gap.c.first + 1, Float)
    total = select(func.coalesce(func.sum(lengths), 0.0).label("total")).where(sequence_gap.c.missed_at < older_than)
    return int((await transaction.rows(total))[0]["total"])


async def _streams(transaction: Transaction, uses: Sequence[SequenceUse]) -> dict[_StreamKey, Stream]:
    """The streams of a batch, locked on PostgreSQL; those not seen before begin with their first number."""
    wanted = {_key(use): use.number for use in reversed(uses)}
    streams = await _known_streams(transaction, wanted)
    names = ("recipient", "sender", "epoch", "lane")
    begun = [
        dict(zip(names, key, strict=True)) | {"lowest": number, "highest": number}
        for key, number in sorted(wanted.items())
        if key not in streams
    ]
    if begun:
        await transaction.change_each(transaction.insert(sequence_stream).on_conflict_do_nothing(), begun)
        streams = await _known_streams(transaction, wanted)
    return streams


async def _known_streams(transaction: Transaction, wanted: dict[_StreamKey, int]) -> dict[_StreamKey, Stream]:
    recipients, senders, epochs, lanes = (
        (set(column) for column in zip(*wanted, strict=True)) if wanted else 4 * (set(),)
    )
    stream = sequence_stream.c
    query = (
        select(sequence_stream)
        .where(stream.recipient.in_(recipients), stream.sender.in_(senders))
        .where(stream.epoch.in_(epochs), stream.lane.in_(lanes))
        .order_by(stream.id)
        .with_for_update()
    )
    found: dict[_StreamKey, Stream] = {}
    for row in await transaction.rows(query):
        key = (row["recipient"], row["sender"], row["epoch"], row["lane"])
        if key in wanted:
            found[key] = Stream(row["id"], row["lowest"], row["highest"])
    return found


async def _used(
    transaction: Transaction, streams: dict[_StreamKey, Stream], uses: Sequence[SequenceUse]
) -> dict[tuple[int, int], str]:
    """(stream, number) -> the message that used it."""
    used: dict[tuple[int, int], str] = {}
    number = sequence_number.c
    for part in in_parts(uses):
        query = (
            select(number.stream_id, number.number, number.message_id)
            .where(number.stream_id.in_({streams[_key(use)].id for use in part}))
            .where(number.number.in_({use.number for use in part}))
        )
        for row in await transaction.rows(query):
            used[row["stream_id"], row["number"]] = row["message_id"]
    return used


async def _load_missing(
    transaction: Transaction,
    streams: dict[_StreamKey, Stream],
    uses: Sequence[SequenceUse],
    used: dict[tuple[int, int], str],
) -> None:
    """Loads the ranges that late numbers may close; in order, the usual case, it asks for nothing."""
    late: dict[int, list[int]] = {}
    for use in uses:
        stream = streams[_key(use)]
        if stream.lowest < use.number < stream.highest and (stream.id, use.number) not in used:
            late.setdefault(stream.id, []).append(use.number)
    by_id = {stream.id: stream for stream in streams.values()}
    gap = sequence_gap.c
    for stream_id, numbers in late.items():
        query = select(gap.first, gap.last, gap.missed_at).where(
            gap.stream_id == stream_id, gap.first <= max(numbers), gap.last >= min(numbers)
        )
        for row in await transaction.rows(query):
            by_id[stream_id].missing[row["first"]] = (row["last"], row["missed_at"])


def _key(use: SequenceUse) -> _StreamKey:
    return (use.recipient, use.sender, use.epoch, use.lane)
