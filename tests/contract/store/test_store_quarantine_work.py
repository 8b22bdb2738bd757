"""Working on the quarantine: picking, refusing again, taking out, noting a return; the total of kept bytes is exact."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from store_samples import NOW, later, message_id, refusal

from bridge.adapters.store import SqlStore
from bridge.ports.store import Store
from bridge.ports.store.records import Quarantined, QuarantineTotal, Refusal

PLENTY = 1_000_000


async def quarantine(store: Store, *refusals: Refusal, quota_bytes: int = PLENTY) -> None:
    async with store.writing() as unit:
        await unit.refusals.quarantine(refusals, quota_bytes=quota_bytes)


async def refuse_again(store: Store, *refusals: Refusal) -> None:
    async with store.writing() as unit:
        await unit.refusals.refuse_again(refusals)


async def take_out(store: Store, *ids: str) -> list[str]:
    async with store.writing() as unit:
        return [one.id for one in await unit.refusals.take_out(ids)]


async def total(store: Store) -> QuarantineTotal:
    async with store.reading() as unit:
        return await unit.refusals.total()


async def whole(store: Store, *ids: str) -> Sequence[Quarantined]:
    async with store.reading() as unit:
        return await unit.refusals.with_bytes(ids)


async def test_it_is_picked_by_id_code_and_holder_oldest_first_without_bytes(store: Store) -> None:
    first = refusal()
    theirs = refusal(contact_point="at.border-police")
    routed = refusal(contact_point=None, code="E_JSON")
    last = refusal(code="E_JSON")
    await quarantine(store, first, theirs, routed, last)

    async def picked(
        ids: Sequence[str] | None = None, code: str | None = None, holders: Sequence[str | None] | None = None
    ) -> list[str]:
        async with store.reading() as unit:
            found = await unit.refusals.pick(ids=ids, code=code, holders=holders)
        assert {one.wire_bytes for one in found} <= {None}
        return [one.id for one in found]

    assert await picked() == [first.id, theirs.id, routed.id, last.id]
    assert await picked(code="E_JSON") == [routed.id, last.id]
    assert await picked(holders=[None]) == [routed.id]
    assert await picked(holders=["at.ncp", "at.border-police"], code="E_SIGNATURE") == [first.id, theirs.id]
    assert await picked(ids=[last.id, message_id(), first.id, last.id]) == [first.id, last.id]
    assert await picked(ids=[last.id, first.id], code="E_JSON") == [last.id]
    assert await picked(ids=[]) == await picked(holders=[]) == []


async def test_more_ids_than_a_statement_takes_are_picked_in_order(store: Store) -> None:
    some = [refusal() for _ in range(3)]
    await quarantine(store, *some)
    ids = [some[2].id, *(message_id() for _ in range(40_000)), some[0].id, some[1].id]

    assert [one.id for one in await whole(store, *ids)] == [one.id for one in some]


async def test_what_is_refused_again_with_the_same_code_is_counted_and_keeps_its_place(store: Store) -> None:
    first, second = refusal(), refusal()
    await quarantine(store, first, second)

    await refuse_again(store, replace(first, at=later(60), detail="a newer detail", step=7))

    kept, _ = await whole(store, first.id, second.id)
    assert (kept.replays, kept.detail, kept.at, kept.wire_bytes) == (1, "a newer detail", NOW, first.wire_bytes)
    assert (await whole(store, second.id))[0].replays == 0


async def test_what_is_refused_again_with_another_code_moves_to_that_code(store: Store) -> None:
    first = refusal(code="E_KEY_UNKNOWN", step=6)
    await quarantine(store, first)

    await refuse_again(store, replace(first, code="E_EXPIRED", step=12, detail="NUL \0 and \ud800"))
    await quarantine(store, replace(first, id=message_id()))

    async with store.reading() as unit:
        assert await unit.refusals.counts() == ({"E_EXPIRED": 1, "E_KEY_UNKNOWN": 1}, 0)
        moved = await unit.refusals.get(first.id)
    assert moved is not None
    assert (moved.code, moved.step, moved.replays, moved.detail) == ("E_EXPIRED", 12, 1, "NUL \\x00 and \\ud800")
    assert await total(store) == QuarantineTotal(2 * len(first.wire_bytes))


@pytest.mark.parametrize("other_has_bytes", [True, False])
@pytest.mark.parametrize("returned", [(), ("own",), ("other",), ("own", "other")])
async def test_the_same_bytes_under_the_new_code_become_one_entry(
    store: Store, *, other_has_bytes: bool, returned: Sequence[str]
) -> None:
    own = refusal(code="E_KEY_UNKNOWN", step=6)
    other = replace(own, id=message_id(), code="E_EXPIRED", step=12, at=later(5), replays=3)
    elsewhere = replace(other, id=message_id(), contact_point=None)
    await quarantine(store, own, own)
    await quarantine(store, other, quota_bytes=PLENTY if other_has_bytes else 0)
    await quarantine(store, elsewhere)
    async with store.writing() as unit:
        for name, seconds in (("own", 1), ("other", 2)):
            if name in returned:
                own_id = {"own": own.id, "other": other.id}[name]
                await unit.refusals.note_returned(own_id, at=later(seconds), receipt_id=name)

    await refuse_again(store, replace(own, code="E_EXPIRED", step=12))

    (one, _) = found = await whole(store, own.id, other.id, elsewhere.id)
    assert [each.id for each in found] == [own.id, elsewhere.id]
    assert (one.code, one.seen, one.replays, one.last_seen_at) == ("E_EXPIRED", 3, 4, later(5))
    assert one.wire_bytes == own.wire_bytes
    assert one.returned_at == ({"own": later(1), "other": later(2)}[returned[-1]] if returned else None)
    assert await total(store) == QuarantineTotal(2 * len(own.wire_bytes), 0)


async def test_two_replayed_at_once_that_become_one_are_one(store: Store) -> None:
    own = refusal(code="E_KEY_UNKNOWN", step=6)
    other = replace(own, id=message_id(), code="E_FUTURE", step=12)
    await quarantine(store, own, other)

    await refuse_again(store, *(replace(each, code="E_EXPIRED", step=12) for each in (own, other)))

    (one,) = await whole(store, own.id, other.id)
    assert (one.id, one.code, one.seen, one.replays) == (other.id, "E_EXPIRED", 2, 2)
    assert await total(store) == QuarantineTotal(len(own.wire_bytes))


async def test_what_is_no_longer_there_is_not_refused_again(store: Store) -> None:
    await refuse_again(store, refusal())
    await refuse_again(store)

    async with store.reading() as unit:
        assert await unit.refusals.list() == []


async def test_taking_out_answers_what_was_there_and_makes_room(store: Store) -> None:
    first, second = (refusal(wire_bytes=fill * 50) for fill in (b"a", b"b"))
    beyond = refusal(wire_bytes=b"c" * 50)
    await quarantine(store, first, second, beyond, quota_bytes=100)
    async with store.writing() as unit:
        await unit.refusals.note_returned(first.id, at=NOW, receipt_id="r")
    assert await total(store) == QuarantineTotal(100, 1)

    assert await take_out(store, beyond.id, first.id, message_id(), first.id) == [first.id, beyond.id]
    assert await take_out(store, first.id) == await take_out(store) == []

    assert await total(store) == QuarantineTotal(50, 0)
    assert [one.id for one in await whole(store, first.id, second.id, beyond.id)] == [second.id]


async def test_a_return_shows_wherever_the_entry_does_and_the_newest_counts(store: Store) -> None:
    own = refusal()
    await quarantine(store, own)
    for seconds in (1, 90):
        async with store.writing() as unit:
            await unit.refusals.note_returned(own.id, at=later(seconds), receipt_id=f"r{seconds}")

    async with store.reading() as unit:
        (listed,) = await unit.refusals.list()
        shown = await unit.refusals.get(own.id)
    assert shown is not None
    assert listed.returned_at == shown.returned_at == later(90)


async def test_two_that_take_out_and_refuse_at_once_keep_the_total_exact(store: Store, other_store: Store) -> None:
    refusals = [refusal() for _ in range(12)]
    await quarantine(store, *refusals)

    async def refuse() -> None:
        for one in refusals:
            await quarantine(other_store, replace(one, id=message_id()), refusal())

    async def take() -> None:
        for one in refusals:
            await take_out(store, one.id)

    await asyncio.gather(refuse(), take())

    async with store.reading() as unit:
        left = await unit.refusals.pick()
    assert (await total(store)).kept_bytes == sum(one.size for one in left if one.has_bytes)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_what_was_taken_out_is_in_no_file_any_more(store: SqlStore, store_url: str) -> None:
    secret = b"a stranger's words " * 2000
    await quarantine(store, refusal(wire_bytes=secret))
    folder = Path(store_url.removeprefix("sqlite:///")).parent
    assert secret[:19] in _all_bytes(folder)

    async with store.reading() as unit:
        (one,) = await unit.refusals.list()
    await take_out(store, one.id)
    await store.sweep_erased()

    assert secret[:19] not in _all_bytes(folder)


def _all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["refuse", "again", "out"]), st.integers(0, 3), st.sampled_from(["E_JSON", "E_SEAL", "E_BODY"])
    ),
    max_size=30,
)


@pytest.mark.parametrize("database", ["sqlite"])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
async def test_whatever_is_done_the_total_is_what_is_there(store: Store, steps: list[tuple[str, int, str]]) -> None:
    sizes = (10, 20, 30, 40)
    async with store.writing() as unit:
        await unit.refusals.take_out([one.id for one in await unit.refusals.pick()])
    for action, which, code in steps:
        async with store.writing() as unit:
            data = bytes([which]) * sizes[which]
            there = [one for one in await unit.refusals.pick() if one.size == sizes[which]]
            if action == "refuse":
                await unit.refusals.quarantine([refusal(code=code, wire_bytes=data)], quota_bytes=90)
            elif action == "again" and there:
                again = refusal(id=there[0].id, code=code, wire_bytes=data)
                await unit.refusals.refuse_again([again])
            elif there:
                await unit.refusals.take_out([there[0].id])

    async with store.reading() as unit:
        left = await unit.refusals.pick()
    kept = sum(one.size for one in left if one.has_bytes)
    assert await total(store) == QuarantineTotal(kept, sum(not one.has_bytes for one in left))
    assert len({(one.sha256, one.code) for one in left}) == len(left)
