"""Who waits for something to do asks for a mark, and looks into the database when that is another one."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from store_samples import NOW, later, outbox_row

from bridge.adapters.store import SqlStore, open_store
from bridge.ports.store import Store
from bridge.ports.store.records import OutboxRow

DELAY = timedelta(seconds=60)


async def given(store: Store, *rows: OutboxRow) -> None:
    async with store.writing() as unit:
        await unit.outbox.add(rows)


async def first_due(store: Store, *, now: datetime = NOW, lane: str | None = None) -> datetime | None:
    async with store.reading() as unit:
        return await unit.outbox.first_due("publisher", now=now, lane=lane)


async def another_than(mark: object, store: Store) -> None:
    async with asyncio.timeout(5):
        while store.mark() == mark:  # noqa: ASYNC110 -- PostgreSQL's comes with time
            await asyncio.sleep(0.01)


async def test_a_commit_of_this_program_and_of_another_makes_another_mark(store: SqlStore, other_store: Store) -> None:
    for writer in (store, other_store):
        mark = store.mark()
        await given(writer, outbox_row())
        await another_than(mark, store)


@pytest.mark.parametrize("database", ["sqlite"])
async def test_reading_and_writing_nothing_leave_the_mark(store: SqlStore, other_store: SqlStore) -> None:
    await given(store, outbox_row())
    mark = store.mark()

    await first_due(other_store)
    await other_store.check_schema()
    async with store.writing() as unit:
        await unit.outbox.claim("subscriber", token="t", now=NOW, lease_seconds=1, limit=1)

    assert store.mark() == mark


@pytest.mark.parametrize("database", ["sqlite"])
def test_a_file_that_is_gone_makes_another_mark_each_time(store_url: str) -> None:
    store = open_store(store_url)
    Path(store_url.removeprefix("sqlite:///")).unlink()

    assert store.mark() != store.mark()


async def test_nothing_is_due_where_nothing_waits(store: Store) -> None:
    await given(store, outbox_row(relay="subscriber"), outbox_row(lane="urgent"))
    async with store.writing() as unit:
        (row,) = await unit.outbox.claim("publisher", token="t", now=NOW, lease_seconds=60, limit=9)
        await unit.outbox.mark_sent([row.id], token="t", now=NOW)

    assert await first_due(store) is None


async def test_a_new_row_is_due_now_and_a_refused_or_leased_one_when_its_time_comes(store: Store) -> None:
    await given(store, outbox_row(lane="urgent"))
    assert await first_due(store) == NOW
    assert await first_due(store, lane="normal") is None

    async with store.writing() as unit:
        (row,) = await unit.outbox.claim("publisher", token="t", now=NOW, lease_seconds=10, limit=9)
    assert await first_due(store) == later(10)

    async with store.writing() as unit:
        await unit.outbox.mark_failed([row.id], token="t", next_attempt_at=NOW + DELAY, error="refused")
    assert await first_due(store) == NOW + DELAY
    assert await first_due(store, now=NOW + DELAY) == NOW + DELAY
    # a clock that was days ahead has moved it there
    assert await first_due(store, now=NOW - timedelta(days=3)) == NOW - timedelta(days=3)
