"""What a contact point has sent, as its officers look at it, on both databases."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import text
from store_samples import NOW, outgoing

from bridge.adapters.store import SqlStore
from bridge.ports.store.records import OutgoingMessage


async def given(store: SqlStore, *messages: OutgoingMessage) -> None:
    async with store.writing() as unit:
        for message in messages:
            await unit.ledger.add(message)


async def test_a_page_has_ones_own_alerts_the_newest_first_and_goes_on_behind_the_last(store: SqlStore) -> None:
    # given
    first, second, third = outgoing("at.ncp"), outgoing("at.ncp", "hu.ncp"), outgoing("hu.ncp")
    answer, other = replace(outgoing("at.ncp"), kind="acknowledgement"), outgoing("at.ncp", sender="rs.border-police")
    await given(store, first, second, answer, third, other)

    # when
    async with store.reading() as unit:
        page = await unit.sent_alerts.page("rs.ncp", before=None, limit=2)
        rest = await unit.sent_alerts.page("rs.ncp", before=page[-1].id, limit=2)

    # then
    assert [one.id for one in page] == [third.id, second.id]
    assert [one.id for one in rest] == [first.id]
    assert [to.id for to in page[1].recipients] == ["at.ncp", "hu.ncp"]
    assert (page[0].body, page[0].wire_bytes) == (third.body, b"")


async def test_versions_are_those_of_the_thread_the_oldest_first(store: SqlStore) -> None:
    first = outgoing("at.ncp")
    update = replace(outgoing("at.ncp"), kind="alert_update", thread=first.thread, supersedes=first.id)
    await given(store, first, outgoing("at.ncp"), update)

    async with store.reading() as unit:
        found = await unit.sent_alerts.versions(first.thread, sender="rs.ncp")
        assert await unit.sent_alerts.versions(first.thread, sender="at.ncp") == []
    assert [(one.id, one.supersedes) for one in found] == [(first.id, None), (update.id, first.id)]


async def test_whoever_was_written_to_has_a_number(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.ledger.next_numbers("rs.ncp", ["at.ncp"], lane="urgent")
        await unit.ledger.next_numbers("rs.ncp", ["at.ncp", "hu.ncp"], lane="normal")
        await unit.ledger.next_numbers("rs.border-police", ["bg.ncp"], lane="normal")

    async with store.reading() as unit:
        known = await unit.sent_alerts.written_to("rs.ncp", ["at.ncp", "hu.ncp", "bg.ncp"])
    assert known == {"at.ncp", "hu.ncp"}


async def test_usual_is_the_most_that_one_of_the_last_alerts_went_to(store: SqlStore) -> None:
    # given an old alert to three, then two smaller ones and an answer
    old, one, two = outgoing("at.ncp", "bg.ncp", "hu.ncp"), outgoing("at.ncp"), outgoing("at.ncp", "hu.ncp")
    await given(store, old, one, two, replace(outgoing("at.ncp"), kind="acknowledgement"))

    async with store.reading() as unit:
        assert await unit.sent_alerts.usual_number("rs.ncp", last=3) == (2, 2)
        assert await unit.sent_alerts.usual_number("rs.ncp", last=50) == (3, 3)
        assert await unit.sent_alerts.usual_number("at.ncp", last=50) == (0, 0)


async def test_no_look_walks_over_the_ledger(store: SqlStore, database: str) -> None:
    if database == "postgresql":
        return  # its planner walks over what is small
    await given(store, outgoing("at.ncp", sent=NOW))
    async with store._engine.connect() as connection:
        plans = [
            await connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))
            for query in (
                "SELECT id FROM message WHERE sender = 'rs.ncp' AND position < 9 ORDER BY position DESC LIMIT 50",
                "SELECT id FROM draft WHERE contact_point = 'a' AND state IN ('b', 'c') ORDER BY changed_at DESC",
                "SELECT recipient FROM sequence_counter WHERE sender = 'a' AND recipient IN ('b')",
            )
        ]
    assert not [row for plan in plans for row in plan if row.detail.startswith("SCAN")]
