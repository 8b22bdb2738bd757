"""Quarantine and held: raw bytes kept exactly, within a quota what may verify later, oldest tried first."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from store_samples import NOW, later, message_id, refusal

from bridge.core.errors import UnavailableError
from bridge.ports.store import Store
from bridge.ports.store.records import Refusal

PLENTY = 1_000_000


async def quarantine(store: Store, *refusals: Refusal) -> None:
    async with store.writing() as unit:
        await unit.refusals.quarantine(refusals)


async def hold(store: Store, *refusals: Refusal, quota_bytes: int = PLENTY) -> list[Refusal]:
    async with store.writing() as unit:
        return list(await unit.refusals.hold(refusals, quota_bytes=quota_bytes))


async def release(store: Store, *, now: float = 0, every: float = 60, limit: int = 100) -> list[Refusal]:
    async with store.writing() as unit:
        return list(await unit.refusals.release_held(limit=limit, not_tried_since=later(now - every), now=later(now)))


async def test_a_quarantined_message_comes_back_as_it_was_byte_for_byte(store: Store) -> None:
    kept = refusal(replays=2)
    bare = refusal(contact_point=None, properties={}, wire_bytes=b"")
    await quarantine(store, kept, bare)

    async with store.reading() as unit:
        assert await unit.refusals.get(kept.id) == kept
        assert await unit.refusals.get(bare.id) == bare
        assert await unit.refusals.get(message_id()) is None


async def test_the_same_bytes_refused_twice_are_kept_twice(store: Store) -> None:
    first = refusal()
    await quarantine(store, first, replace(first, id=message_id()))

    async with store.reading() as unit:
        assert len(await unit.refusals.list()) == 2


@pytest.mark.parametrize(
    ("text", "stored"), [("a\0b", "a\\x00b"), ("a\ud800b", "a\\ud800b"), ("ž\N{CROSS MARK}", "ž\N{CROSS MARK}")]
)
async def test_text_that_a_database_would_not_take_is_escaped(store: Store, text: str, stored: str) -> None:
    kept = refusal(detail=text, queue=text, properties={"type": text})
    await quarantine(store, kept)

    async with store.reading() as unit:
        found = await unit.refusals.get(kept.id)
    assert found == replace(kept, detail=stored, queue=stored, properties={"type": stored})


async def test_the_quarantine_lists_newest_first_and_by_code(store: Store) -> None:
    refusals = [refusal(code=code) for code in ("E_SEAL", "E_SIGNATURE", "E_SEAL")]
    for one in refusals:
        await quarantine(store, one)

    async with store.reading() as unit:
        assert await unit.refusals.list() == refusals[::-1]
        assert await unit.refusals.list(limit=1) == [refusals[2]]
        assert await unit.refusals.list(code="E_SEAL") == [refusals[2], refusals[0]]
        assert await unit.refusals.list(code="E_JSON") == []


async def test_counts_are_by_code_for_the_quarantine_and_in_sum_for_held(store: Store) -> None:
    async with store.reading() as unit:
        assert await unit.refusals.counts() == ({}, 0)
    await quarantine(store, refusal(), refusal(code="E_SEAL"), refusal())
    await hold(store, refusal(code="E_FUTURE"), refusal(code="E_KEY_UNKNOWN"))

    async with store.reading() as unit:
        assert await unit.refusals.counts() == ({"E_SIGNATURE": 2, "E_SEAL": 1}, 2)


async def test_what_is_held_comes_back_byte_for_byte_oldest_first(store: Store) -> None:
    held = [refusal(code="E_FUTURE", at=later(seconds)) for seconds in (30, 10, 20)]
    for one in held:
        await hold(store, one)

    assert await release(store) == held


async def test_what_is_held_is_neither_quarantined_nor_listed_there(store: Store) -> None:
    held = refusal(code="E_FUTURE")
    await hold(store, held)

    async with store.reading() as unit:
        assert await unit.refusals.list() == []
        assert await unit.refusals.get(held.id) is None


async def test_a_released_message_counts_as_tried_and_comes_again_after_the_interval(store: Store) -> None:
    held = refusal(code="E_FUTURE")
    await hold(store, held)
    assert await release(store, now=0) == [held]

    assert await release(store, now=59) == []
    assert await release(store, now=60) == []
    assert await release(store, now=61) == [held]
    assert await release(store, now=62) == []


async def test_releasing_is_bounded_and_goes_on_with_the_rest(store: Store) -> None:
    held = [refusal(code="E_FUTURE") for _ in range(5)]
    await hold(store, *held)

    parts = [await release(store, limit=2) for _ in range(4)]

    assert parts == [held[:2], held[2:4], held[4:], []]


async def test_what_was_tried_by_a_clock_ahead_of_ours_is_due(store: Store) -> None:
    held = refusal(code="E_FUTURE")
    await hold(store, held)
    await release(store, now=86400)

    assert await release(store, now=0) == [held]


async def test_two_at_once_never_release_the_same_message(store: Store, other_store: Store) -> None:
    held = [refusal(code="E_FUTURE") for _ in range(40)]
    await hold(store, *held)

    parts = await asyncio.gather(*(release(own, limit=6) for own in (store, other_store) * 4))
    parts.append(await release(store))

    assert sorted(one.id for part in parts for one in part) == sorted(one.id for one in held)


async def test_the_quota_counts_raw_bytes_and_answers_what_no_longer_fits(store: Store) -> None:
    first, second, third, small = (refusal(code="E_FUTURE", wire_bytes=b"x" * size) for size in (40, 50, 20, 10))

    assert await hold(store, first, quota_bytes=100) == []
    assert await hold(store, second, third, small, quota_bytes=100) == [third]
    assert await hold(store, refusal(wire_bytes=b"x"), quota_bytes=100) != []

    assert await release(store) == [first, second, small]


async def test_dropping_makes_room_again(store: Store) -> None:
    held = [refusal(code="E_FUTURE", wire_bytes=b"x" * 50) for _ in range(2)]
    await hold(store, *held, quota_bytes=100)
    async with store.writing() as unit:
        await unit.refusals.drop_held([held[0].id, message_id()])
        await unit.refusals.drop_held([])

    assert await hold(store, refusal(wire_bytes=b"x" * 50), quota_bytes=100) == []
    async with store.reading() as unit:
        assert await unit.refusals.counts() == ({}, 2)


async def test_one_id_is_one_refusal(store: Store) -> None:
    first = refusal()
    await quarantine(store, first)

    with pytest.raises(UnavailableError):
        await quarantine(store, refusal(), replace(first, code="E_SEAL"))

    async with store.reading() as unit:
        assert await unit.refusals.list() == [first]
    assert first.at == NOW
