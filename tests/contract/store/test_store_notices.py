"""The queue of notices, on both databases."""

from __future__ import annotations

from datetime import timedelta

from store_samples import NOW, later, message_id

from bridge.adapters.store import SqlStore
from bridge.ports.store.notices import NoticeRecord


def notice(**given: str) -> NoticeRecord:
    made = {"contact_point": "at.ncp", "channel": "mail", "occasion": "new", "subject": "some"} | given
    return NoticeRecord(id=message_id(), created_at=NOW, next_attempt_at=NOW, **made)


async def claim(store: SqlStore, *, at: float = 0.0) -> list[NoticeRecord]:
    async with store.writing() as unit:
        return list(await unit.notices.claim(["mail"], now=later(at), until=later(at + 60), limit=10))


async def test_one_that_waits_for_its_first_try_stands_for_those_after_it(store: SqlStore) -> None:
    first, other = notice(), notice(occasion="overdue")
    async with store.writing() as unit:
        await unit.notices.add([first, notice(), other])
        await unit.notices.add([notice(), notice(channel="hook")])

    assert [one.id for one in await claim(store)] == [first.id, other.id]

    async with store.writing() as unit:
        await unit.notices.add([after := notice()])
    assert [one.id for one in await claim(store)] == [after.id]


async def test_nobody_else_gets_what_was_claimed_and_each_claim_is_an_attempt(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.notices.add([notice()])

    (first,) = await claim(store)
    assert await claim(store, at=59) == []
    (second,) = await claim(store, at=60)
    assert (first.attempts, second.attempts) == (1, 2)


async def test_settled_ones_are_tried_no_more_and_forgotten(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.notices.add([sent := notice(), failed := notice(occasion="due"), lost := notice(occasion="overdue")])
    await claim(store)

    async with store.writing() as unit:
        await unit.notices.mark_sent(sent.id, NOW)
        await unit.notices.mark_failed(failed.id, next_attempt_at=later(120), error="E_NOTICE_MAIL")
        await unit.notices.give_up(lost.id, NOW, error="E_NOTICE_MAIL")
        assert await unit.notices.counts(since=NOW - timedelta(days=1)) == {"mail": (1, 1)}
        assert await unit.notices.counts(since=later(1)) == {"mail": (1, 0)}

    (again,) = await claim(store, at=120)
    assert (again.id, again.last_error) == (failed.id, "E_NOTICE_MAIL")
    async with store.writing() as unit:
        assert await unit.notices.forget(before=later(1)) == 2
        assert await unit.notices.counts(since=NOW - timedelta(days=1)) == {"mail": (1, 0)}
