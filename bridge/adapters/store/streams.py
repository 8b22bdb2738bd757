"""The streams of signed numbers in one transaction: their bounds and the ranges missing between them.

A stream is one sender's numbers towards one of our contact points, in one epoch and lane. Missing numbers are kept as
ranges, so that a sender who jumps by a billion costs one row. A stream is loaded without its missing ranges; those that
matter are loaded by `load_missing`, and `save_streams` writes back what changed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import bindparam, delete, insert, select, update

from bridge.adapters.store.tables import sequence_gap, sequence_stream
from bridge.adapters.store.transaction import Transaction

StreamKey = tuple[str, str, int, str]  # recipient, sender, epoch, lane
STREAM_KEY: Final = ("recipient", "sender", "epoch", "lane")

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


class Missing(NamedTuple):
    """What is known of a missing range, whose first number is its key."""

    last: int
    missed_at: datetime
    asked: int = 0
    asked_at: datetime | None = None


@dataclass(slots=True)
class Stream:
    """One stream while a batch is noted: its bounds, and the missing ranges between them that matter to the batch."""

    id: int
    lowest: int
    highest: int
    is_begun: bool = False
    missing: dict[int, Missing] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)  # the keys of `missing`, in order; the ranges do not overlap
    stored: tuple[int, int] = (0, 0)
    stored_missing: dict[int, Missing] = field(default_factory=dict)

    def take(self, number: int, at: datetime) -> None:
        """Notes a new number: beyond the bounds it opens a gap for those skipped, within them it closes one."""
        if number > self.highest:
            self._open(self.highest + 1, Missing(number - 1, at))
            self.highest = number
        elif number < self.lowest:
            self._open(number + 1, Missing(self.lowest - 1, at))
            self.lowest = number
        else:
            self.close(number)

    def cover(self, first: int, last: int, at: datetime) -> None:
        """Notes that everything up to these bounds was used: what is beyond ours is missing."""
        if last > self.highest:
            self._open(self.highest + 1, Missing(last, at))
            self.highest = last
        if first < self.lowest:
            self._open(first, Missing(self.lowest - 1, at))
            self.lowest = first

    def gap_of(self, number: int) -> Missing | None:
        """The loaded missing range that a number lies in."""
        first = self._start_of(number)
        return None if first is None else self.missing[first]

    def close(self, number: int) -> None:
        """Takes a number out of its missing range; what is left of that keeps its age."""
        first = self._start_of(number)
        if first is None:
            return
        gap = self.missing.pop(first)
        del self.starts[bisect_left(self.starts, first)]
        self._open(first, gap._replace(last=number - 1))
        self._open(number + 1, gap)

    def load(self, missing: Mapping[int, Missing]) -> None:
        """Takes over missing ranges as they are stored."""
        self.missing = dict(missing)
        self.starts = sorted(missing)
        self.stored_missing = dict(missing)

    def _start_of(self, number: int) -> int | None:
        place = bisect_right(self.starts, number) - 1
        if place < 0 or self.missing[self.starts[place]].last < number:
            return None
        return self.starts[place]

    def _open(self, first: int, gap: Missing) -> None:
        if first <= gap.last:
            self.missing[first] = gap
            insort(self.starts, first)


async def known_streams(transaction: Transaction, keys: Iterable[StreamKey]) -> dict[StreamKey, Stream]:
    """Those of the streams that there are, locked on PostgreSQL."""
    wanted = frozenset(keys)
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
    found: dict[StreamKey, Stream] = {}
    for row in await transaction.rows(query):
        key = (row["recipient"], row["sender"], row["epoch"], row["lane"])
        if key in wanted:
            bounds = (row["lowest"], row["highest"])
            found[key] = Stream(row["id"], *bounds, stored=bounds)
    return found


async def open_streams(
    transaction: Transaction, wanted: Mapping[StreamKey, tuple[int, int]]
) -> dict[StreamKey, Stream]:
    """The streams, locked on PostgreSQL; those not seen before begin with the bounds that are given."""
    streams = await known_streams(transaction, wanted)
    begun = [key for key in sorted(wanted) if key not in streams]
    if begun:
        rows = [
            dict[str, object](zip(STREAM_KEY, key, strict=True)) | {"lowest": wanted[key][0], "highest": wanted[key][1]}
            for key in begun
        ]
        await transaction.change_each(transaction.insert(sequence_stream).on_conflict_do_nothing(), rows)
        streams = await known_streams(transaction, wanted)
        for key in begun:
            streams[key].is_begun = streams[key].stored == wanted[key]
    return streams


async def load_missing(transaction: Transaction, streams: Iterable[Stream], late: Mapping[int, Sequence[int]]) -> None:
    """Loads the ranges that late numbers (stream id -> numbers) may close; for none it asks for nothing."""
    by_id = {stream.id: stream for stream in streams}
    gap = sequence_gap.c
    for stream_id, numbers in late.items():
        query = select(gap.first, gap.last, gap.missed_at, gap.asked, gap.asked_at).where(
            gap.stream_id == stream_id, gap.first <= max(numbers), gap.last >= min(numbers)
        )
        by_id[stream_id].load(
            {
                row["first"]: Missing(row["last"], row["missed_at"], row["asked"], row["asked_at"])
                for row in await transaction.rows(query)
            }
        )


async def save_streams(transaction: Transaction, streams: Iterable[Stream]) -> None:
    """Writes what changed: bounds moved, ranges closed, ranges opened."""
    moves: list[dict[str, object]] = []
    closed: list[dict[str, object]] = []
    opened: list[dict[str, object]] = []
    for stream in streams:
        if (stream.lowest, stream.highest) != stream.stored:
            moves.append({"at_id": stream.id, "to_lowest": stream.lowest, "to_highest": stream.highest})
        changed = dict(stream.stored_missing.items() ^ stream.missing.items())
        gone = changed.keys() & stream.stored_missing.keys()
        closed += [{"at_id": stream.id, "at_first": first} for first in gone]
        opened += [
            gap._asdict() | {"stream_id": stream.id, "first": first}
            for first, gap in stream.missing.items()
            if first in changed
        ]
    await transaction.change_each(_MOVE, moves)
    await transaction.change_each(_CLOSE, closed)
    await transaction.change_each(insert(sequence_gap), opened)
