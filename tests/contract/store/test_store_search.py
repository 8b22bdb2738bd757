"""The search index: terms that all must be there, filters, how far it has come, and that it goes with the body."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import event, update
from store_samples import item, later, outgoing

from bridge.adapters.store import SqlStore, search
from bridge.adapters.store.tables import body
from bridge.ports.store import Store
from bridge.ports.store.records import InboxItem
from bridge.ports.store.search import Source, Wanted


async def given(store: Store, *items: InboxItem, terms: dict[int, set[int]] | None = None) -> None:
    """Items, with the terms of the first, the second, ..."""
    async with store.writing() as unit:
        await unit.inbox.add(items)
        places = [one.position for one in await unit.search.unread("at.ncp", Source.INBOX, limit=100)]
        if terms:
            found = {places[index]: those for index, those in terms.items()}
            await unit.search.add("at.ncp", Source.INBOX, found)


async def ids(store: Store, *terms: int, source: Source = Source.INBOX, **wanted: object) -> list[str]:
    async with store.reading() as unit:
        found = await unit.search.find("at.ncp", source, Wanted(terms=terms, **wanted), limit=50)
    return [one.id for one in found]


@pytest.mark.parametrize("rare", [0, 1, 9])
async def test_a_message_is_found_by_terms_that_it_has_all_of_newest_first(
    store: Store, rare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "RARE", rare)
    first, second = item(), item()
    await given(store, first, second, terms={0: {1, 2}, 1: {2, 3}})

    assert await ids(store, 2) == [second.id, first.id]
    assert await ids(store, 1, 2) == [first.id]
    assert await ids(store, 1, 3) == []


async def test_filters_hold_with_terms_and_without(store: Store) -> None:
    alert = item(kind="route_alert", urgency="immediate", received_at=later(0))
    answer = item(kind="acknowledgement", urgency="expected", received_at=later(100))
    await given(store, alert, answer, terms={0: {7}, 1: {7}})

    assert await ids(store, 7, kind="acknowledgement") == [answer.id]
    assert await ids(store, urgency="immediate") == [alert.id]
    assert await ids(store, 7, since=later(100)) == [answer.id]
    assert await ids(store, 7, until=later(100)) == [alert.id]


async def test_what_was_gone_through_is_not_gone_through_again(store: Store) -> None:
    await given(store, item(), item(), terms={0: {1}})
    late = item()

    async with store.writing() as unit:
        await unit.inbox.add([late])
        unread = await unit.search.unread("at.ncp", Source.INBOX, limit=100)
        assert len(unread) == 2
        await unit.search.add("at.ncp", Source.INBOX, {one.position: [] for one in unread})
        assert await unit.search.unread("at.ncp", Source.INBOX, limit=100) == []


async def test_another_contact_point_finds_nothing_and_is_gone_through_by_itself(store: Store) -> None:
    own, other = item(), item(contact_point="at.border-police")
    await given(store, own, other, terms={0: {1}})

    async with store.reading() as unit:
        assert await unit.search.find("at.border-police", Source.INBOX, Wanted(terms=(1,)), limit=9) == []
        (unread,) = await unit.search.unread("at.border-police", Source.INBOX, limit=9)
    assert unread.id == other.id


async def test_what_we_sent_is_found_apart_from_what_we_received(store: Store) -> None:
    sent = outgoing(sender="at.ncp")
    await given(store, item(), terms={0: {1}})
    async with store.writing() as unit:
        await unit.ledger.add(sent)
        (unread,) = await unit.search.unread("at.ncp", Source.MESSAGE, limit=9)
        await unit.search.add("at.ncp", Source.MESSAGE, {unread.position: {1}})

    assert await ids(store, 1, source=Source.MESSAGE) == [sent.id]
    assert unread.body == sent.body


async def test_with_the_body_goes_what_it_was_found_by_and_nothing_else(store: Store) -> None:
    gone, stays = item(), item()
    await given(store, gone, stays, terms={0: {1}, 1: {1}})

    async with store.writing() as unit:
        await unit.inbox.erase_bodies("at.ncp", [(gone.sender, gone.id)])

    assert await ids(store, 1) == [stays.id]


async def test_what_has_no_body_is_found_by_no_term_that_was_left_behind(store: SqlStore) -> None:
    gone, stays = item(), item()
    await given(store, gone, stays, terms={0: {1}, 1: {1}})

    async with store._engine.begin() as connection:  # as a program does that knows of no terms
        erased = update(body).where(body.c.message_id == gone.id)
        await connection.execute(erased.values(wrapped_key=None, ciphertext=None))

    assert await ids(store, 1) == [stays.id]
    assert await ids(store) == [stays.id, gone.id]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL's plan depends on its statistics
async def test_a_rare_term_is_looked_up_and_only_common_ones_are_walked_for(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await given(store, item(), item(), terms={0: {1, 2}, 1: {1}})
    sent: list[tuple[str, tuple[object, ...]]] = []
    listening = (store._engine.sync_engine, "before_cursor_execute", lambda *args: sent.append(args[2:4]))
    event.listen(*listening)
    monkeypatch.setattr(search, "RARE", 1)
    await ids(store, 1, 2)
    await ids(store, 1)
    event.remove(*listening)

    plans = []
    async with store._engine.connect() as connection:
        for statement, values in sent:
            if "JOIN body" in statement:
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.append(next(iter(rows))[3])
    rare, common = plans
    assert "position=?" in rare or "rowid=?" in rare
    assert common == "SEARCH inbox USING INDEX ix_inbox_contact_point_position (contact_point=?)"


async def test_what_commits_late_is_not_stepped_over(store: Store, other_store: Store) -> None:
    first, second, seen = outgoing(sender="at.ncp"), outgoing(sender="at.ncp"), []

    async def send_second() -> None:
        async with other_store.writing() as unit:
            await unit.ledger.add(second)

    async with store.writing() as unit:
        await unit.ledger.add(first)
        sending = asyncio.create_task(send_second())
        await asyncio.wait([sending], timeout=0.5)  # it has to wait; where it does not, it has committed by then
        async with other_store.reading() as looking:
            seen += await looking.search.unread("at.ncp", Source.MESSAGE, limit=9)
    await sending

    async with store.reading() as unit:
        there = await unit.search.unread("at.ncp", Source.MESSAGE, limit=9)
    assert {one.id for one in there} == {first.id, second.id}
    assert there[: len(seen)] == seen
