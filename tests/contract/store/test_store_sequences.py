"""The receiver's book of signed numbers (wire-format: `seq`): gaps open and close, a number used twice is reported."""

from __future__ import annotations

import asyncio
from itertools import chain

import pytest
from store_samples import NOW, later, use

from bridge.ports.store import Store
from bridge.ports.store.records import SequenceUse

BILLION = 10**9


async def note(store: Store, *uses: SequenceUse, seconds: float = 0) -> list[SequenceUse]:
    async with store.writing() as unit:
        return list(await unit.inbox.use_numbers(uses, later(seconds)))


async def missing(store: Store, *, older_than: float = BILLION / 1000) -> list[int]:
    async with store.reading() as unit:
        return [number for *_, number in await unit.inbox.gaps(older_than=later(older_than))]


async def test_any_number_may_be_the_first_and_misses_nothing(store: Store) -> None:
    assert await note(store, use(2**53 - 1)) == []
    assert await missing(store) == []


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(
    ("numbers", "gaps"),
    [
        ([7, 8, 9], []),
        ([7, 9], [8]),
        ([7, 10], [8, 9]),
        ([7, 10, 8], [9]),
        ([7, 10, 9], [8]),
        ([7, 10, 9, 8], []),
        ([7, 11, 9], [8, 10]),
        ([7, 11, 9, 10, 8], []),
        ([7, 5], [6]),
        ([7, 5, 6], []),
        ([7, 3, 5, 9], [4, 6, 8]),
        ([0, 2**53 - 1, 1], [*range(2, 1002)]),
    ],
)
async def test_gaps_open_and_close(store: Store, numbers: list[int], gaps: list[int], *, at_once: bool) -> None:
    for part in [numbers] if at_once else [[number] for number in numbers]:
        assert await note(store, *(use(number) for number in part)) == []

    assert await missing(store) == gaps


async def test_gaps_are_named_in_full_and_only_when_they_are_old_enough(store: Store) -> None:
    await note(store, use(1), use(3), seconds=0)
    await note(store, use(5), seconds=60)

    async with store.reading() as unit:
        assert await unit.inbox.gaps(older_than=NOW) == []
        assert await unit.inbox.gaps(older_than=later(1)) == [("at.ncp", "rs.ncp", 1, "urgent", 2)]
        assert [number for *_, number in await unit.inbox.gaps(older_than=later(61))] == [2, 4]


async def test_closing_a_part_of_a_gap_does_not_make_the_rest_younger(store: Store) -> None:
    await note(store, use(1), use(5), seconds=0)
    await note(store, use(3), seconds=600)

    assert await missing(store, older_than=1) == [2, 4]


async def test_a_jump_by_a_billion_is_noted_at_once_and_listed_in_part(store: Store) -> None:
    async with asyncio.timeout(2):
        await note(store, use(1), use(BILLION), use(BILLION // 2))

        listed = await missing(store)

    assert listed[:3] == [2, 3, 4]
    assert BILLION // 2 + 1 in listed
    assert len(listed) == 2000


@pytest.mark.parametrize(
    "other",
    [{"recipient": "at.border-police"}, {"sender": "hu.ncp"}, {"epoch": 2}, {"lane": "normal"}],
)
async def test_each_recipient_sender_epoch_and_lane_counts_for_itself(store: Store, other: dict[str, object]) -> None:
    await note(store, use(1), use(3), use(7, **other), use(9, **other))
    await note(store, use(2))

    assert await note(store, use(9)) == []
    assert sorted(await missing(store)) == [*range(4, 9), 8]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_number_used_by_another_message_is_reported_and_stays_with_the_first(
    store: Store, *, at_once: bool
) -> None:
    first, second = use(1, "first"), use(1, "second")

    parts = [[first, second, first]] if at_once else [[first], [second], [first]]
    reused = [await note(store, *part) for part in parts]

    assert list(chain.from_iterable(reused)) == [second]
    assert await note(store, second) == [second]


async def test_a_message_that_comes_again_uses_its_number_once(store: Store) -> None:
    for _ in range(3):
        assert await note(store, use(1), use(3), use(1)) == []

    assert await missing(store) == [2]


async def test_noting_nothing_is_allowed(store: Store) -> None:
    assert await note(store) == []


async def test_two_at_once_agree_about_gaps_and_reuse(store: Store, other_store: Store) -> None:
    ours = [note(store, use(number, f"our-{number}")) for number in range(0, 20, 2)]
    theirs = [note(other_store, use(number, f"their-{number}")) for number in range(0, 20, 4)]

    answers = await asyncio.gather(*ours, *theirs)

    assert sum(len(answer) for answer in answers) == 5
    assert await missing(store) == list(range(1, 18, 2))
