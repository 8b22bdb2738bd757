"""The receiver's book of signed numbers: which were used, which are missing, which were used twice.

The first number of a stream that comes begins it, unless its sender has said before where it began. `missing_numbers`
lists at most `LISTED_OF_A_RANGE` numbers of each missing range and `LISTED` in all, and more once those have come. A
number whose sender said that it never comes stands in the book with a code (`E_...`) in place of a message id, and
gives way to the message should it come after all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Final

from sqlalchemy import bindparam, select, update

from bridge.adapters.store.streams import Stream, StreamKey, load_missing, open_streams, save_streams
from bridge.adapters.store.tables import sequence_gap, sequence_number, sequence_stream
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.records import SequenceUse

LISTED_OF_A_RANGE: Final = 1000
LISTED: Final = 10_000
VOID_PREFIX: Final = "E_"  # no message id begins like this

_TAKE_FROM_VOID: Final = (
    update(sequence_number)
    .where(sequence_number.c.stream_id == bindparam("at_id"))
    .where(sequence_number.c.number == bindparam("at_number"))
    .values(message_id=bindparam("by"))
)


async def note_numbers(transaction: Transaction, uses: Sequence[SequenceUse], at: datetime) -> Sequence[SequenceUse]:
    """Notes used numbers, opens and closes gaps; answers the uses whose number another message had used."""
    streams = await open_streams(transaction, {_key(use): (use.number, use.number) for use in reversed(uses)})
    used = await _used(transaction, streams, uses)
    await load_missing(transaction, streams.values(), _late(streams, uses, used))
    reused: list[SequenceUse] = []
    fresh: list[dict[str, object]] = []
    not_void: list[dict[str, object]] = []
    for use in uses:
        stream = streams[_key(use)]
        user = used.get((stream.id, use.number))
        if user is None:
            fresh.append({"stream_id": stream.id, "number": use.number, "message_id": use.message_id})
            stream.take(use.number, at)
        elif user.startswith(VOID_PREFIX):
            not_void.append({"at_id": stream.id, "at_number": use.number, "by": use.message_id})
        else:
            if user != use.message_id:
                reused.append(use)
            continue
        used[stream.id, use.number] = use.message_id
    await transaction.change_each(transaction.insert(sequence_number).on_conflict_do_nothing(), fresh)
    await transaction.change_each(_TAKE_FROM_VOID, not_void)
    await save_streams(transaction, streams.values())
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


async def _used(
    transaction: Transaction, streams: Mapping[StreamKey, Stream], uses: Sequence[SequenceUse]
) -> dict[tuple[int, int], str]:
    """(stream, number) -> the message that used it, or the code of a number that is void."""
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


def _late(
    streams: Mapping[StreamKey, Stream], uses: Sequence[SequenceUse], used: Mapping[tuple[int, int], str]
) -> dict[int, list[int]]:
    """The numbers that may close a gap, by stream; in order, the usual case, there are none."""
    late: dict[int, list[int]] = {}
    for use in uses:
        stream = streams[_key(use)]
        if (
            not stream.is_begun
            and stream.lowest <= use.number <= stream.highest
            and (stream.id, use.number) not in used
        ):
            late.setdefault(stream.id, []).append(use.number)
    return late


def _key(use: SequenceUse) -> StreamKey:
    return (use.recipient, use.sender, use.epoch, use.lane)
