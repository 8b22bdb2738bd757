"""Missing numbers: what a sender says it has used, when they are asked for, and numbers that never come."""

from __future__ import annotations

from dataclasses import replace

import pytest
from store_samples import NOW, later, use

from bridge.ports.store import Store
from bridge.ports.store.no_gap import MissingRange, NumberRange, VoidNumber
from bridge.ports.store.records import SequenceUse

HUGE = 2**53 - 1
MINUTE = 60.0
HOUR = 3600.0


def said(first: int, last: int, **given: object) -> NumberRange:
    return replace(NumberRange("at.ncp", "rs.ncp", 1, "urgent", first, last), **given)


def void(number: int, **given: object) -> VoidNumber:
    return replace(VoidNumber("at.ncp", "rs.ncp", 1, "urgent", number, "E_UNKNOWN_NUMBER"), **given)


async def hear(store: Store, *ranges: NumberRange, seconds: float = 0) -> None:
    async with store.writing() as unit:
        await unit.gaps.note_used(ranges, later(seconds))


async def take(store: Store, *numbers: int, user: str = "") -> list[SequenceUse]:
    async with store.writing() as unit:
        return list(await unit.inbox.use_numbers([use(number, user) for number in numbers], NOW))


async def missing(store: Store) -> list[int]:
    async with store.reading() as unit:
        return [number for *_, number in await unit.inbox.gaps(older_than=later(HUGE / 10**9))]


async def due(store: Store, seconds: float) -> list[tuple[int, int, int]]:
    async with store.reading() as unit:
        found = await unit.gaps.due(["at.ncp"], later(seconds), limit=100)
    return [(one.first, one.last, one.asked) for one in found]


async def ask(store: Store, seconds: float, *ranges: tuple[int, int]) -> None:
    asked = [MissingRange("at.ncp", "rs.ncp", 1, "urgent", first, last, NOW) for first, last in ranges]
    async with store.writing() as unit:
        await unit.gaps.mark_asked(asked, later(seconds))


@pytest.mark.parametrize(
    ("came", "said_to_be_used", "gaps"),
    [
        ([], (5, 7), [5, 6, 7]),
        ([], (5, 4), []),
        ([], (0, 0), [0]),
        ([5, 6, 7], (5, 7), []),
        ([6], (5, 7), [5, 7]),
        ([6], (6, 8), [7, 8]),
        ([6], (4, 6), [4, 5]),
        ([6, 9], (5, 10), [5, 7, 8, 10]),
        ([6, 9], (6, 7), [7, 8]),
        ([6], (6, 2), []),
    ],
)
async def test_what_a_sender_says_it_used_and_never_came_is_missing(
    store: Store, came: list[int], said_to_be_used: tuple[int, int], gaps: list[int]
) -> None:
    await take(store, *came)

    for _ in range(2):
        await hear(store, said(*said_to_be_used))
        assert sorted(await missing(store)) == gaps


async def test_everything_that_is_said_to_be_used_closes_when_it_comes_first_and_last_too(store: Store) -> None:
    await hear(store, said(5, 8))

    for number, left in ((8, [5, 6, 7]), (5, [6, 7]), (7, [6]), (6, [])):
        assert await take(store, number) == []
        assert await missing(store) == left
    assert await take(store, 5, user="another") == [use(5, "another")]


async def test_a_sender_that_says_it_used_every_number_there_is_costs_one_row(store: Store) -> None:
    await hear(store, said(0, HUGE))

    async with store.reading() as unit:
        (found,) = await unit.gaps.named(older_than=later(1), limit=10)
        assert (found.first, found.last, found.count) == (0, HUGE, HUGE + 1)


async def test_streams_of_one_batch_are_told_apart(store: Store) -> None:
    await hear(store, said(1, 2), said(11, 12, lane="normal"), said(21, 22, epoch=2), said(1, 3))

    assert sorted(await missing(store)) == [1, 2, 3, 11, 12, 21, 22]


async def test_numbers_are_asked_for_after_1_10_and_60_minutes_and_every_six_hours_then(store: Store) -> None:
    await hear(store, said(5, 6))

    asked_at = 0.0
    assert await due(store, 59) == []
    for times, at in enumerate((MINUTE, 10 * MINUTE, HOUR, 7 * HOUR, 13 * HOUR, 19 * HOUR)):
        assert await due(store, at - 1) == []
        assert await due(store, at) == [(5, 6, times)]
        await ask(store, at, (5, 6))
        assert asked_at < at
        asked_at = at


async def test_what_is_asked_for_in_part_stays_due_for_the_rest(store: Store) -> None:
    await hear(store, said(1, 5000))

    await ask(store, MINUTE, (1, 1000))

    assert await due(store, MINUTE) == [(1001, 5000, 0)]
    assert len(await missing(store)) == 2000  # the first thousand of either range
    async with store.reading() as unit:
        assert await unit.gaps.outstanding(["at.ncp"]) == {("at.ncp", "rs.ncp"): 1000}


async def test_what_is_left_of_a_gap_was_asked_for_as_often(store: Store) -> None:
    await hear(store, said(1, 9))
    await ask(store, MINUTE, (1, 9))

    await take(store, 5)

    assert await due(store, 9 * MINUTE) == []
    assert await due(store, 10 * MINUTE) == [(1, 4, 1), (6, 9, 1)]


async def test_a_gap_that_closed_before_it_was_marked_stays_closed(store: Store) -> None:
    await hear(store, said(1, 3))
    await take(store, 1)

    await ask(store, MINUTE, (1, 3))

    assert await missing(store) == [2, 3]
    assert await due(store, MINUTE) == [(2, 3, 0)]


async def test_a_clock_that_ran_ahead_puts_nothing_off(store: Store) -> None:
    await hear(store, said(1, 2), seconds=5 * HOUR)
    assert await due(store, MINUTE) == [(1, 2, 0)]

    await ask(store, 5 * HOUR, (1, 2))
    assert await due(store, 2 * MINUTE) == [(1, 2, 1)]


async def test_a_void_number_closes_its_gap_and_stays_closed(store: Store) -> None:
    await hear(store, said(1, 3))
    await ask(store, MINUTE, (1, 3))

    async with store.writing() as unit:
        assert await unit.gaps.void([void(2), void(2), void(7), void(2, lane="normal")]) == [void(2)]

    await hear(store, said(1, 3))
    assert await missing(store) == [1, 3]


async def test_nothing_becomes_void_that_came_or_was_never_asked_for(store: Store) -> None:
    await take(store, 1, 3)

    async with store.writing() as unit:
        assert await unit.gaps.void([void(1), void(2), void(4), void(2, sender="hu.ncp")]) == []

    assert await missing(store) == [2]


async def test_a_message_that_comes_under_a_void_number_is_no_second_use(store: Store) -> None:
    await hear(store, said(1, 2))
    await ask(store, MINUTE, (1, 2))
    async with store.writing() as unit:
        await unit.gaps.void([void(1), void(2)])

    assert await take(store, 2, user="came late") == []

    assert await take(store, 2, user="another") == [use(2, "another")]
    assert await missing(store) == []


async def test_due_numbers_are_those_of_the_contact_points_that_ask(store: Store) -> None:
    await hear(store, said(1, 2, recipient="at.border-police"), said(5, 6))

    assert await due(store, MINUTE) == [(5, 6, 0)]


async def test_a_sender_opens_a_bounded_number_of_streams_in_which_nothing_came(store: Store) -> None:
    # given a stream in which something came
    await take(store, 1)
    epochs = [said(1, 2, epoch=epoch) for epoch in range(100, 120)]

    # when heartbeats name ever new epochs
    async with store.writing() as unit:
        first = await unit.gaps.note_used(epochs, NOW)
        again = await unit.gaps.note_used([said(1, 3), *epochs, said(8, 9, sender="hu.ncp")], NOW)

    # then the later ones are not heeded; what is known, and other senders, are
    assert first == again == epochs[16:]
    assert sorted(await missing(store)) == sorted([1, 2] * 16 + [2, 3] + [8, 9])


async def test_void_numbers_make_no_room_for_more_streams_and_messages_do(store: Store) -> None:
    epochs = [said(1, 1, epoch=epoch) for epoch in range(100, 117)]
    await hear(store, *epochs)
    async with store.writing() as unit:
        await unit.gaps.mark_asked([MissingRange("at.ncp", "rs.ncp", 100, "urgent", 1, 1, NOW)], later(MINUTE))
        assert await unit.gaps.void([void(1, epoch=100)]) == [void(1, epoch=100)]
        assert await unit.gaps.note_used(epochs, NOW) == epochs[16:]

        await unit.inbox.use_numbers([replace(use(1), epoch=101)], NOW)
        assert await unit.gaps.note_used(epochs, NOW) == []


async def test_more_ranges_are_marked_as_asked_for_than_fit_one_statement(store: Store) -> None:
    many = [NumberRange("at.ncp", "rs.ncp", 1, "urgent", number, number) for number in range(1, 40_002, 2)]
    await take(store, *range(2, 40_002, 2))
    await hear(store, said(1, 40_001))

    await ask(store, MINUTE, *((one.first, one.last) for one in many))

    async with store.reading() as unit:
        assert await unit.gaps.outstanding(["at.ncp"]) == {("at.ncp", "rs.ncp"): len(many)}


async def test_a_range_of_each_sender_and_lane_is_named_however_many_another_has(store: Store) -> None:
    await hear(store, said(1, 1))
    await take(store, *range(3, 60, 2))
    await hear(store, said(5, 6, lane="normal"), seconds=1)
    await hear(store, said(7, 8, sender="hu.ncp"), seconds=2)

    async with store.reading() as unit:
        few = await unit.gaps.named(older_than=later(9), limit=1)
        more = await unit.gaps.named(older_than=later(9), limit=5)
        counted = await unit.gaps.counted(older_than=later(9))

    assert {(one.sender, one.lane) for one in few} == {("rs.ncp", "urgent"), ("rs.ncp", "normal"), ("hu.ncp", "urgent")}
    assert len(few) == 3
    assert len(more) == 5
    assert more == sorted(more, key=lambda one: (one.missed_at, one.sender == "hu.ncp", one.lane, one.first))
    assert counted == {("at.ncp", "rs.ncp"): 30 + 2, ("at.ncp", "hu.ncp"): 2}
