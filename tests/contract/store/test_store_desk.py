"""The desk: three groups that each find their rows by an index, threads, and who has what in hand."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import event
from store_samples import NOW, item, later, message_id, outgoing

from bridge.adapters.store import SqlStore
from bridge.ports.store import Store
from bridge.ports.store.desk import Group, ItemId
from bridge.ports.store.records import InboxItem


async def given(store: Store, *items: InboxItem) -> None:
    async with store.writing() as unit:
        await unit.inbox.add(items)


async def ids(store: Store, group: Group, **given: int) -> list[str]:
    async with store.reading() as unit:
        return [one.id for one in await unit.desk.list("at.ncp", group, limit=given.pop("limit", 50), **given)]


def key(one: InboxItem) -> ItemId:
    return one.sender, one.id


async def test_what_waits_comes_first_by_its_deadline_whatever_arrived_last(store: Store) -> None:
    soon, late = item(acknowledge_by=later(60)), item(acknowledge_by=later(3600))
    told, read = item(acknowledge_by=None), item(acknowledge_by=later(600), state="read")
    await given(store, late, soon, told, read)

    assert await ids(store, Group.NEEDS_ACTION) == [soon.id, read.id, late.id]
    assert await ids(store, Group.FOR_INFORMATION) == [told.id]


async def test_what_is_acknowledged_stays_in_progress_until_it_is_closed(store: Store) -> None:
    one = item(acknowledge_by=later(60), state="acknowledged")
    await given(store, one)
    assert await ids(store, Group.IN_PROGRESS) == [one.id]

    async with store.writing() as unit:
        await unit.desk.close("at.ncp", key(one), "huber", NOW)
    assert await ids(store, Group.IN_PROGRESS) == []
    assert await ids(store, Group.FOR_INFORMATION) == [one.id]

    async with store.writing() as unit:
        await unit.desk.close("at.ncp", key(one), None, NOW)
        found = await unit.desk.get("at.ncp", key(one))
    assert found is not None
    assert (found.group, found.closed_by, found.closed_at) == (Group.IN_PROGRESS, None, None)


async def test_a_later_version_folds_the_one_before_away_and_nobody_elses_does(store: Store) -> None:
    first, other = item(acknowledge_by=later(60)), item(acknowledge_by=later(90))
    second = item(acknowledge_by=later(120), supersedes=first.id, supersedes_from=first.sender)
    foreign = item(sender="hu.ncp", acknowledge_by=None, supersedes=other.id, supersedes_from=other.sender)
    await given(store, first, other, second, foreign)

    assert await ids(store, Group.NEEDS_ACTION) == [other.id, second.id]
    async with store.reading() as unit:
        assert await unit.desk.replaced_by("at.ncp", key(first)) == key(second)
        assert await unit.desk.replaced_by("at.ncp", key(other)) is None
        assert await unit.desk.count("at.ncp", Group.NEEDS_ACTION, most=999) == 2


async def test_an_exercise_folds_no_real_alert_away(store: Store) -> None:
    real, drill = item(acknowledge_by=later(60)), item(acknowledge_by=later(90), status="exercise")
    claims = [
        item(acknowledge_by=None, status=other, kind="alert_cancel", supersedes=one.id, supersedes_from=one.sender)
        for one, other in ((real, "exercise"), (drill, "actual"))
    ]
    await given(store, real, drill, *claims)

    assert await ids(store, Group.NEEDS_ACTION) == [real.id, drill.id]
    async with store.reading() as unit:
        assert [await unit.desk.replaced_by("at.ncp", key(one)) for one in (real, drill)] == [None, None]


async def test_a_list_goes_on_behind_its_last_and_counts_end_at_their_limit(store: Store) -> None:
    told = [item(acknowledge_by=None) for _ in range(5)]
    await given(store, *told, *(item(acknowledge_by=later(1)) for _ in range(4)))

    async with store.reading() as unit:
        page = await unit.desk.list("at.ncp", Group.FOR_INFORMATION, limit=2)
        rest = await unit.desk.list("at.ncp", Group.FOR_INFORMATION, before=page[-1].position, limit=50)
        assert await unit.desk.count("at.ncp", Group.NEEDS_ACTION, most=3) == 3
    assert [one.id for one in (*page, *rest)] == [one.id for one in reversed(told)]


async def test_another_contact_point_of_the_node_sees_nothing_of_it(store: Store) -> None:
    one = item(acknowledge_by=later(60))
    await given(store, one)

    async with store.reading() as unit:
        assert await unit.desk.get("at.border-police", key(one)) is None
        assert await unit.desk.thread("at.border-police", one.thread, limit=9) == []
        assert await unit.desk.list("at.border-police", Group.NEEDS_ACTION, limit=9) == []


async def test_a_thread_has_what_came_in_order_and_what_we_sent(store: Store) -> None:
    first = item(acknowledge_by=later(60))
    second = item(thread=first.thread, supersedes=first.id, supersedes_from=first.sender)
    own = outgoing(sender="at.ncp", thread=first.thread)
    await given(store, first, second, item())
    async with store.writing() as unit:
        await unit.ledger.add(own)

    async with store.reading() as unit:
        assert [one.id for one in await unit.desk.thread("at.ncp", first.thread, limit=9)] == [first.id, second.id]
        assert await unit.desk.own_thread("at.ncp", first.thread) == [own.id]
        assert await unit.desk.own_thread("rs.ncp", first.thread) == []


async def test_who_has_an_item_is_noted_and_forgotten_again(store: Store) -> None:
    one = item()
    await given(store, one)

    async with store.writing() as unit:
        await unit.desk.take("at.ncp", key(one), "huber", NOW)
        taken = await unit.desk.get("at.ncp", key(one))
        await unit.desk.take("at.ncp", key(one), None, NOW)
        free = await unit.desk.get("at.ncp", key(one))
    assert taken is not None
    assert (taken.taken_by, taken.taken_at, taken.body) == ("huber", NOW, one.body)
    assert free == replace(taken, taken_by=None, taken_at=None)


async def test_who_locks_an_item_second_waits_and_sees_what_the_first_did(store: Store) -> None:
    one = item()
    await given(store, one)
    has_it, seen = asyncio.Event(), []

    async def first() -> None:
        async with store.writing() as unit:
            await unit.desk.lock("at.ncp", key(one))
            has_it.set()
            await asyncio.sleep(0.1)  # the second one is waiting by then; were it not, it would see nobody
            await unit.desk.take("at.ncp", key(one), "huber", NOW)

    async def second() -> None:
        await has_it.wait()
        async with store.writing() as unit:
            seen.append(await unit.desk.lock("at.ncp", key(one)))

    await asyncio.gather(first(), second())

    assert [found.taken_by for found in seen if found] == ["huber"]


async def test_an_unknown_item_is_nothing(store: Store) -> None:
    async with store.writing() as unit:
        assert await unit.desk.get("at.ncp", ("rs.ncp", message_id())) is None
        assert await unit.desk.lock("at.ncp", ("rs.ncp", message_id())) is None


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_each_group_is_found_by_its_index(store: SqlStore) -> None:
    """Of the statements themselves, as the store sends them."""
    sent: list[tuple[str, tuple[object, ...]]] = []
    listening = (store._engine.sync_engine, "before_cursor_execute", lambda *args: sent.append(args[2:4]))
    event.listen(*listening)
    for group in Group:
        await ids(store, group)
    async with store.reading() as unit:
        await unit.inbox.get(message_id(), contact_point="at.ncp")
        await unit.desk.replaced_by("at.ncp", ("rs.ncp", message_id()))
    event.remove(*listening)

    plans = []
    async with store._engine.connect() as connection:
        for statement, values in sent:
            if statement.startswith("SELECT"):
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.append(" | ".join(row[3] for row in rows))
    *plans, one, replaced = plans
    needs_action, in_progress, information = plans
    assert "SEARCH inbox USING INDEX sqlite_autoindex_inbox_1 (id=?" in one
    assert "inbox USING INDEX ix_inbox_unanswered" in needs_action
    assert "inbox USING INDEX ix_inbox_in_work" in in_progress
    assert "inbox USING INDEX ix_inbox_contact_point_position" in information
    assert not any("TEMP B-TREE" in plan for plan in plans)
    assert "SEARCH inbox USING INDEX sqlite_autoindex_inbox_1 (id=?" in replaced
    assert "SEARCH later USING INDEX ix_inbox_supersedes" in replaced
    assert all("later USING" in plan and "ix_inbox_supersedes" in plan for plan in plans)
