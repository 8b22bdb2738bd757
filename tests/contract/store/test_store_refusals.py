"""Held: raw bytes kept exactly, once, within a quota for each code; tried again oldest first, by whoever holds them."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from store_samples import NOW, later, message_id, refusal

from bridge.ports.store import Store
from bridge.ports.store.records import Refusal

PLENTY = 1_000_000


async def hold(store: Store, *refusals: Refusal, quota_bytes: int = PLENTY, **quotas: int) -> list[Refusal]:
    async with store.writing() as unit:
        return list(await unit.refusals.hold(refusals, quotas={"E_FUTURE": quota_bytes, **quotas}))


async def release(
    store: Store, *holders: str | None, now: float = 0, every: float = 60, limit: int = 100
) -> list[Refusal]:
    async with store.writing() as unit:
        found = await unit.refusals.release_held(
            holders or ("at.ncp",), limit=limit, not_tried_since=later(now - every), now=later(now)
        )
        return list(found)


async def held_count(store: Store) -> int:
    async with store.reading() as unit:
        return (await unit.refusals.counts())[1]


async def test_what_is_held_comes_back_byte_for_byte_oldest_first(store: Store) -> None:
    held = [refusal(code="E_FUTURE", at=later(seconds)) for seconds in (30, 10, 20)]
    for one in held:
        await hold(store, one)

    assert await release(store) == held


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
    assert await hold(store, refusal(code="E_FUTURE", wire_bytes=b"x"), quota_bytes=100) != []

    assert await release(store) == [first, second, small]


async def test_each_code_has_a_quota_of_its_own(store: Store) -> None:
    flood = [refusal(code="E_KEY_UNKNOWN", wire_bytes=bytes([n]) * 50) for n in range(4)]
    early = [refusal(code="E_FUTURE", wire_bytes=bytes([9 + n]) * 50) for n in range(3)]
    quotas = {"quota_bytes": 100, "E_KEY_UNKNOWN": 120}

    assert await hold(store, *flood, **quotas) == flood[2:]
    assert await hold(store, *early, **quotas) == early[2:]
    assert await hold(store, refusal(code="E_TRUST_STALE"), **quotas) != []

    assert await release(store) == flood[:2] + early[:2]


@pytest.mark.parametrize("at_once", [True, False])
async def test_what_is_held_already_is_not_held_again(store: Store, *, at_once: bool) -> None:
    first = refusal(code="E_FUTURE")
    again = replace(first, id=message_id(), at=later(9), code="E_KEY_UNKNOWN")
    for part in [[first, again]] if at_once else [[first], [again]]:
        assert await hold(store, *part, quota_bytes=len(first.wire_bytes)) == []

    assert await release(store) == [first]


async def test_the_same_bytes_with_other_properties_or_another_holder_are_held_for_themselves(store: Store) -> None:
    """A copy with wrong properties, by whomever, must not stand in for the good one."""
    first = refusal(code="E_FUTURE", properties={"app_id": "hu.ncp"})
    other = replace(first, id=message_id(), properties={"app_id": "rs.ncp"})
    routed = replace(first, id=message_id(), contact_point=None)
    await hold(store, first)
    await hold(store, other, routed)

    assert await release(store, "at.ncp", None) == [first, other, routed]


async def test_only_the_holders_asked_for_are_released(store: Store) -> None:
    ours, theirs, routed = (
        refusal(code="E_FUTURE", contact_point=holder) for holder in ("at.ncp", "at.border-police", None)
    )
    await hold(store, ours, theirs, routed)

    async with store.writing() as unit:
        assert await unit.refusals.release_held([], limit=9, not_tried_since=later(99), now=NOW) == []
    assert await release(store, "at.ncp", "at.other") == [ours]
    assert await release(store, None) == [routed]
    assert await release(store, "at.ncp", "at.border-police", None) == [theirs]


async def test_a_newer_verdict_moves_what_stays_held_to_the_quota_of_its_code(store: Store) -> None:
    held = refusal(code="E_TRUST_STALE", step=5)
    await hold(store, held, E_TRUST_STALE=len(held.wire_bytes))
    newer = replace(held, code="E_KEY_UNKNOWN", step=6, detail="no such key", at=later(60))
    async with store.writing() as unit:
        await unit.refusals.keep_holding([newer, refusal(code="E_FUTURE")])
        await unit.refusals.keep_holding([])

    assert await hold(store, refusal(code="E_TRUST_STALE"), E_TRUST_STALE=len(held.wire_bytes)) == []
    assert (await release(store))[0] == replace(newer, at=held.at)


async def test_what_is_held_for_too_long_is_named_once_it_was_tried(store: Store) -> None:
    old, older, young, theirs = (
        refusal(code="E_FUTURE", at=later(at), contact_point=holder)
        for at, holder in ((-20, "at.ncp"), (-30, "at.ncp"), (0, "at.ncp"), (-20, None))
    )
    await hold(store, old, older, young, theirs)

    async def aged(*holders: str | None, limit: int = 10) -> list[Refusal]:
        async with store.writing() as unit:
            return list(await unit.refusals.held_too_long(holders, since_before=later(-10), limit=limit))

    assert await aged("at.ncp", None) == []
    await release(store, "at.ncp", None)
    assert await aged("at.ncp") == [old, older]
    assert await aged("at.ncp", limit=1) == [old]
    assert await aged("at.ncp", None) == [old, older, theirs]


async def test_dropping_makes_room_again(store: Store) -> None:
    held = [refusal(code="E_FUTURE", wire_bytes=fill * 50) for fill in (b"a", b"b")]
    await hold(store, *held, quota_bytes=100)
    async with store.writing() as unit:
        await unit.refusals.drop_held([held[0].id, message_id()])
        await unit.refusals.drop_held([])

    assert await hold(store, refusal(code="E_FUTURE", wire_bytes=b"x" * 50), quota_bytes=100) == []
    assert await held_count(store) == 2
