"""Quarantine: what was refused, kept exactly and once, within a quota; what comes again is counted."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace

import pytest
from store_samples import NOW, later, message_id, refusal

from bridge.core.errors import UnavailableError
from bridge.core.wire import base64url
from bridge.ports.store import Store
from bridge.ports.store.records import Quarantined, QuarantineTotal, Refusal

PLENTY = 1_000_000
SAID = ("id", "code", "step", "detail", "at", "queue", "contact_point", "properties", "replays")


async def quarantine(store: Store, *refusals: Refusal, quota_bytes: int = PLENTY) -> list[str]:
    async with store.writing() as unit:
        return list(await unit.refusals.quarantine(refusals, quota_bytes=quota_bytes))


def kept(refusal: Refusal, **given: object) -> Quarantined:
    """How the quarantine shows a refusal that it saw once, with its bytes."""
    made = Quarantined(
        **{name: getattr(refusal, name) for name in SAID},
        size=len(refusal.wire_bytes),
        sha256=base64url.encode(hashlib.sha256(refusal.wire_bytes).digest()),
        has_bytes=True,
        wire_bytes=refusal.wire_bytes,
        seen=1,
        last_seen_at=refusal.at,
    )
    return replace(made, **given)


def listed(refusal: Refusal) -> Quarantined:
    return kept(refusal, wire_bytes=None)


async def test_a_quarantined_message_comes_back_as_it_was_byte_for_byte(store: Store) -> None:
    full = refusal(replays=2)
    bare = refusal(contact_point=None, properties={}, wire_bytes=b"")
    assert await quarantine(store, full, bare) == [full.id, bare.id]

    async with store.reading() as unit:
        assert await unit.refusals.get(full.id) == kept(full)
        assert await unit.refusals.get(bare.id) == kept(bare)
        assert await unit.refusals.get(message_id()) is None


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_same_bytes_with_the_same_code_are_kept_once_and_counted(store: Store, *, at_once: bool) -> None:
    first = refusal()
    again = [replace(first, id=message_id(), at=later(seconds), detail="again") for seconds in (10, 20)]

    parts = [[first, *again]] if at_once else [[one] for one in (first, *again)]
    new = [own for part in parts for own in await quarantine(store, *part)]

    assert new == [first.id]
    async with store.reading() as unit:
        assert await unit.refusals.list() == [replace(listed(first), seen=3, last_seen_at=later(20))]
        assert (await unit.refusals.total()).kept_bytes == len(first.wire_bytes)
        assert await unit.refusals.counts() == ({"E_SIGNATURE": 1}, 0)


async def test_other_holders_and_other_codes_keep_the_same_bytes_for_themselves(store: Store) -> None:
    first = refusal()
    others = [
        replace(first, id=message_id(), contact_point="at.border-police"),
        replace(first, id=message_id(), contact_point=None),
        replace(first, id=message_id(), code="E_SEAL"),
    ]
    await quarantine(store, first)

    assert await quarantine(store, *others) == [one.id for one in others]


async def test_beyond_the_quota_everything_is_kept_but_the_bytes(store: Store) -> None:
    first, second, small, last = (
        refusal(wire_bytes=fill * size) for fill, size in ((b"a", 60), (b"b", 50), (b"c", 40), (b"d", 1))
    )
    await quarantine(store, first, second, quota_bytes=100)
    await quarantine(store, small, quota_bytes=100)

    assert await quarantine(store, last, replace(second, id=message_id(), at=later(5)), quota_bytes=100) == [last.id]

    without = {"wire_bytes": None, "has_bytes": False}
    async with store.reading() as unit:
        found = [await unit.refusals.get(one.id) for one in (first, second, small, last)]
        assert found[:3] == [kept(first), kept(second, seen=2, last_seen_at=later(5), **without), kept(small)]
        assert found[3] == kept(last, **without)
        assert [one.has_bytes for one in await unit.refusals.list()] == [False, True, False, True]
        assert await unit.refusals.total() == QuarantineTotal(kept_bytes=100, without_bytes=2)


async def test_an_empty_quarantine_takes_no_room(store: Store) -> None:
    assert await quarantine(store) == []
    async with store.reading() as unit:
        assert await unit.refusals.total() == QuarantineTotal()


async def test_two_that_refuse_the_same_at_once_count_each_other(store: Store, other_store: Store) -> None:
    refusals = [refusal(contact_point=None) for _ in range(10)]

    async def refuse(own: Store) -> None:
        for _ in range(3):
            await quarantine(own, *(replace(one, id=message_id()) for one in refusals))

    await asyncio.gather(refuse(store), refuse(other_store))

    async with store.reading() as unit:
        assert [one.seen for one in await unit.refusals.list()] == [6] * 10
        assert (await unit.refusals.total()).kept_bytes == sum(len(one.wire_bytes) for one in refusals)


@pytest.mark.parametrize(
    ("text", "stored"), [("a\0b", "a\\x00b"), ("a\ud800b", "a\\ud800b"), ("ž\N{CROSS MARK}", "ž\N{CROSS MARK}")]
)
async def test_text_that_a_database_would_not_take_is_escaped(store: Store, text: str, stored: str) -> None:
    odd = refusal(detail=text, queue=text, properties={"type": text})
    await quarantine(store, odd)
    async with store.writing() as unit:
        await unit.refusals.hold([replace(odd, code="E_FUTURE")], quotas={"E_FUTURE": PLENTY})
        held = await unit.refusals.release_held(["at.ncp"], limit=9, not_tried_since=NOW, now=NOW)

    said = {"detail": stored, "queue": stored, "properties": {"type": stored}}
    async with store.reading() as unit:
        assert await unit.refusals.get(odd.id) == kept(odd, **said)
    assert held == [replace(odd, code="E_FUTURE", **said)]


async def test_the_quarantine_lists_newest_first_and_by_code(store: Store) -> None:
    refusals = [refusal(code=code) for code in ("E_SEAL", "E_SIGNATURE", "E_SEAL")]
    for one in refusals:
        await quarantine(store, one)

    async with store.reading() as unit:
        found = [listed(one) for one in refusals]
        assert await unit.refusals.list() == found[::-1]
        assert await unit.refusals.list(limit=1) == [found[2]]
        assert await unit.refusals.list(code="E_SEAL") == [found[2], found[0]]
        assert await unit.refusals.list(code="E_JSON") == []


async def test_counts_are_by_code_for_the_quarantine_and_in_sum_for_held(store: Store) -> None:
    async with store.reading() as unit:
        assert await unit.refusals.counts() == ({}, 0)
    await quarantine(store, refusal(), refusal(code="E_SEAL"), refusal())
    async with store.writing() as unit:
        held = [refusal(code="E_FUTURE"), refusal(code="E_KEY_UNKNOWN")]
        await unit.refusals.hold(held, quotas={"E_FUTURE": PLENTY, "E_KEY_UNKNOWN": PLENTY})

    async with store.reading() as unit:
        assert await unit.refusals.counts() == ({"E_SIGNATURE": 2, "E_SEAL": 1}, 2)


async def test_what_is_held_is_neither_quarantined_nor_listed_there(store: Store) -> None:
    held = refusal(code="E_FUTURE")
    async with store.writing() as unit:
        await unit.refusals.hold([held], quotas={"E_FUTURE": PLENTY})

    async with store.reading() as unit:
        assert await unit.refusals.list() == []
        assert await unit.refusals.get(held.id) is None


async def test_one_id_is_one_refusal(store: Store) -> None:
    first = refusal()
    await quarantine(store, first)

    with pytest.raises(UnavailableError):
        await quarantine(store, refusal(), replace(first, code="E_SEAL"))

    async with store.reading() as unit:
        assert await unit.refusals.list() == [listed(first)]
