"""Who owes an answer, on both databases: found while it is owed, noted once, however many look."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event
from store_samples import NOW, item, later, outgoing, receipt, recipient

from bridge.adapters.store import SqlStore
from bridge.ports.store.deadlines import OwedAnswer

LONG_AGO = NOW - timedelta(days=31)


async def ours(store: SqlStore, *, due_after: datetime = LONG_AGO) -> list[OwedAnswer]:
    async with store.reading() as unit:
        return list(await unit.deadlines.ours(["at.ncp", "at.police"], due_after=due_after))


async def theirs(store: SqlStore) -> list[OwedAnswer]:
    async with store.reading() as unit:
        return list(await unit.deadlines.theirs(["rs.ncp"], since=LONG_AGO))


async def test_what_we_have_to_answer_comes_in_the_order_of_its_deadlines(store: SqlStore) -> None:
    late, soon = item(acknowledge_by=later(7200)), item(acknowledge_by=later(60))
    async with store.writing() as unit:
        await unit.inbox.add([late, soon, item(acknowledge_by=None), item(contact_point="hu.ncp")])

    found = await ours(store)

    assert [one.message_id for one in found] == [soon.id, late.id]
    assert found[0] == OwedAnswer(
        "at.ncp", "rs.ncp", soon.id, soon.kind, "actual", "immediate", soon.received_at, later(60), None, None
    )
    assert await ours(store, due_after=later(7200)) == []


async def test_what_was_answered_or_replaced_is_owed_no_more(store: SqlStore) -> None:
    answered, replaced, of_another = item(), item(), item()
    update = item(supersedes=replaced.id, supersedes_from="rs.ncp", acknowledge_by=None)
    stranger = item(supersedes=of_another.id, supersedes_from="hu.ncp", sender="hu.ncp", acknowledge_by=None)
    async with store.writing() as unit:
        await unit.inbox.add([answered, replaced, of_another, update, stranger])
        await unit.inbox.set_state("at.ncp", answered.id, "acknowledged")

    assert [one.message_id for one in await ours(store)] == [of_another.id]


async def test_a_test_asks_no_officer_and_an_exercise_does(store: SqlStore) -> None:
    exercise = item(status="exercise")
    async with store.writing() as unit:
        await unit.inbox.add([item(status="test"), item(status="system"), exercise])

    assert [one.message_id for one in await ours(store)] == [exercise.id]
    async with store.reading() as unit:
        assert await unit.happenings.count_arrivals("at.ncp", after=0) == 1


async def test_a_reminder_and_an_alarm_are_each_noted_once(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.inbox.add([item()])
    found = await ours(store)

    for overdue in (False, True):
        async with store.writing() as unit:
            first = await unit.deadlines.note_ours(found, NOW, overdue=overdue)
            again = await unit.deadlines.note_ours(found, later(1), overdue=overdue)
        assert (list(first), list(again)) == (found, [])

    (noted,) = await ours(store)
    assert (noted.reminded_at, noted.alarmed_at) == (NOW, NOW)


async def test_nothing_is_noted_of_what_was_answered_meanwhile(store: SqlStore) -> None:
    async with store.writing() as unit:
        await unit.inbox.add([item()])
    found = await ours(store)

    async with store.writing() as unit:
        await unit.inbox.set_state("at.ncp", found[0].message_id, "acknowledged")
        assert await unit.deadlines.note_ours(found, NOW, overdue=True) == []


async def test_recipients_owe_an_answer_from_their_receipt_to_their_acknowledgement(store: SqlStore) -> None:
    sent = replace(
        outgoing(),
        recipients=(recipient("at.ncp", reply_within_s=3600), recipient("hu.ncp", reply_within_s=3600)),
    )
    async with store.writing() as unit:
        await unit.ledger.add(sent)
    assert await theirs(store) == []

    async with store.writing() as unit:
        await unit.ledger.add_receipts([receipt(sent, "at.ncp"), receipt(sent, "hu.ncp")])
        await unit.ledger.mark_acknowledged(sent.id, "hu.ncp", level="read", at=later(9))

    (owed,) = await theirs(store)
    assert (owed.contact_point, owed.peer, owed.message_id) == ("rs.ncp", "at.ncp", sent.id)
    assert (owed.since, owed.due_at) == (later(5), later(3605))

    for overdue in (False, True):
        async with store.writing() as unit:
            assert list(await unit.deadlines.note_theirs([owed], NOW, overdue=overdue)) == [owed]
            assert list(await unit.deadlines.note_theirs([owed], NOW, overdue=overdue)) == []
    (alarmed,) = await theirs(store)
    assert (alarmed.reminded_at, alarmed.alarmed_at) == (NOW, NOW)


async def test_an_own_version_that_was_replaced_is_awaited_no_more(store: SqlStore) -> None:
    sent = replace(outgoing(), recipients=(recipient("at.ncp", reply_within_s=3600),))
    cancel = replace(outgoing(), thread=sent.thread, supersedes=sent.id, kind="alert_cancel")
    async with store.writing() as unit:
        await unit.ledger.add(sent)
        await unit.ledger.add_receipts([receipt(sent, "at.ncp")])
        await unit.ledger.add(cancel)

    assert await theirs(store) == []


async def test_an_exercise_stops_no_alarm_of_a_real_alert(store: SqlStore) -> None:
    received = item()
    drill = item(status="exercise", supersedes=received.id, supersedes_from="rs.ncp", acknowledge_by=None)
    sent = replace(outgoing(), recipients=(recipient("at.ncp", reply_within_s=3600),))
    own_drill = replace(
        outgoing(), status="exercise", thread=sent.thread, supersedes=sent.id, kind="alert_cancel", recipients=()
    )
    async with store.writing() as unit:
        await unit.inbox.add([received, drill])
        await unit.ledger.add(sent)
        await unit.ledger.add_receipts([receipt(sent, "at.ncp")])
        await unit.ledger.add(own_drill)

    assert [one.message_id for one in await ours(store)] == [received.id]
    assert [one.message_id for one in await theirs(store)] == [sent.id]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL's plan depends on its statistics
async def test_only_what_is_owed_is_read_however_much_there_was(store: SqlStore) -> None:
    sent: list[tuple[str, tuple[object, ...]]] = []
    listening = (store._engine.sync_engine, "before_cursor_execute", lambda *args: sent.append(args[2:4]))
    event.listen(*listening)
    await ours(store)
    await theirs(store)
    event.remove(*listening)

    plans = []
    async with store._engine.connect() as connection:
        for statement, values in sent:
            if statement.startswith("SELECT"):
                rows = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.append(next(iter(rows))[3])
    assert [plan.partition(" (")[0] for plan in plans] == [
        "SEARCH inbox USING INDEX ix_inbox_unanswered",
        "SEARCH recipient USING INDEX ix_recipient_awaited",
    ]
