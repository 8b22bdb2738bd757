"""What was exchanged with one member: everything counted, the newest named, and nobody else's rows read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event
from store_samples import NOW, item, later, outgoing, receipt, use

from bridge.adapters.store import SqlStore
from bridge.ports.store import Store
from bridge.ports.store.exposures import Exposed, KindReceived, KindSent
from bridge.ports.store.records import InboxItem, OutgoingMessage


async def given_sent(store: Store, *messages: OutgoingMessage) -> None:
    async with store.writing() as unit:
        for message in messages:
            await unit.ledger.add(message)


async def given_received(store: Store, *items: InboxItem) -> None:
    async with store.writing() as unit:
        await unit.inbox.add(items)
        uses = [
            use(number, one.id, recipient=one.contact_point, sender=one.sender) for number, one in enumerate(items, 1)
        ]
        await unit.inbox.use_numbers(uses, NOW)


async def of_member(store: Store, prefix: str, *, limit: int = 100) -> Exposed:
    async with store.reading() as unit:
        return await unit.exposures.of_member(prefix, limit=limit)


async def test_a_stranger_was_shown_nothing(store: Store) -> None:
    await given_sent(store, outgoing("at.ncp"))

    assert await of_member(store, "hu") == Exposed([], [], [], [])


async def test_what_left_us_is_told_from_what_did_not_and_from_what_was_read(store: Store) -> None:
    first, second, third = (
        outgoing("at.ncp", "hu.ncp"),
        outgoing("at.border-police", sent=later(60)),
        outgoing("hu.ncp"),
    )
    kept = outgoing("at.ncp", sent=later(120))
    await given_sent(store, first, second, third, kept)
    async with store.writing() as unit:
        await unit.ledger.mark_sent([(first.id, "at"), (first.id, "hu"), (second.id, "at")], later(61))
        await unit.ledger.add_receipts([receipt(first, "at.ncp")])
        await unit.ledger.mark_acknowledged(first.id, "at.ncp", level="accepted", at=later(62))

    found = await of_member(store, "at")

    assert list(found.kinds_sent) == [KindSent("route_alert", 3, 2, 0, 1, 1, NOW, later(120))]
    assert [(one.id, one.recipient, one.state) for one in found.sent] == [
        (kept.id, "at.ncp", "pending"),
        (second.id, "at.border-police", "sent"),
        (first.id, "at.ncp", "delivered"),
    ]
    newest, *_, oldest = found.sent
    assert (newest.published_at, oldest.published_at, oldest.acknowledged_at) == (None, later(61), later(62))
    assert oldest.wire_bytes == first.wire_bytes


async def test_an_expired_message_that_arrived_all_the_same_could_be_read(store: Store) -> None:
    sent = outgoing("at.ncp")
    await given_sent(store, sent)
    async with store.writing() as unit:
        await unit.ledger.mark_expired([(sent.id, "at")])
        await unit.ledger.add_receipts([receipt(sent, "at.ncp")])

    (kind,) = (await of_member(store, "at")).kinds_sent

    assert (kind.published, kind.delivered) == (1, 1)


async def test_what_a_broker_may_have_taken_is_named_apart_until_it_is_known(store: Store) -> None:
    given_up, confirmed, arrived, refused = (outgoing("at.ncp") for _ in range(4))
    await given_sent(store, given_up, confirmed, arrived, refused)
    async with store.writing() as unit:
        publishes = [(one.id, "at") for one in (given_up, confirmed, arrived, refused)]
        await unit.ledger.mark_uncertain(publishes)
        await unit.ledger.mark_sent([(confirmed.id, "at")], later(1))
        await unit.ledger.mark_expired([(one.id, "at") for one in (given_up, arrived, refused)])
        await unit.ledger.add_receipts([receipt(arrived, "at.ncp")])
        await unit.ledger.add_receipts([receipt(refused, "at.ncp", state="rejected", code="E_EXPIRED")])

    found = await of_member(store, "at")

    (kind,) = found.kinds_sent
    assert (kind.count, kind.published, kind.uncertain, kind.delivered) == (4, 3, 1, 1)
    assert {one.id: one.code for one in found.sent if one.code} == {
        given_up.id: "E_PUBLISH_UNKNOWN",
        refused.id: "E_EXPIRED",
    }


async def test_what_came_from_the_member_is_told_by_its_senders(store: Store) -> None:
    alert = item(sender="rs.ncp")
    answer = replace(item(sender="rs.border-police", received_at=later(50)), kind="acknowledgement")
    await given_received(store, alert)
    await given_received(store, answer, item(sender="hu.ncp"))

    found = await of_member(store, "rs")

    assert list(found.kinds_received) == [
        KindReceived("acknowledgement", 1, later(50), later(50)),
        KindReceived("route_alert", 1, later(1), later(1)),
    ]
    assert [(one.id, one.sender, one.contact_point) for one in found.received] == [
        (answer.id, "rs.border-police", "at.ncp"),
        (alert.id, "rs.ncp", "at.ncp"),
    ]


async def test_a_number_that_is_void_is_no_message(store: Store) -> None:
    async with store.writing() as unit:
        await unit.inbox.use_numbers([use(1, "E_UNKNOWN_NUMBER")], NOW)

    assert not (await of_member(store, "rs")).received


async def test_the_newest_are_named_and_all_are_counted(store: Store) -> None:
    sent = [outgoing("at.ncp", sent=later(second)) for second in range(5)]
    await given_sent(store, *sent)
    await given_received(store, *(item(sender="at.ncp", contact_point="rs.ncp") for _ in range(5)))

    found = await of_member(store, "at", limit=2)

    assert [one.id for one in found.sent] == [sent[4].id, sent[3].id]
    assert (found.kinds_sent[0].count, found.kinds_received[0].count, len(found.received)) == (5, 5, 2)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL's plan depends on its statistics
async def test_only_rows_of_that_member_are_read_however_much_was_exchanged(store: SqlStore, store_url: str) -> None:
    queries: list[tuple[str, tuple[object, ...]]] = []

    def note(*call: Any) -> None:  # noqa: ANN401 - what the library hands over
        queries.append((call[2], call[3]))

    await given_sent(store, outgoing("at.ncp"), outgoing("hu.ncp"))
    await given_received(store, item(sender="at.ncp", contact_point="rs.ncp"))
    event.listen(store._engine.sync_engine, "before_cursor_execute", note)
    await of_member(store, "at")

    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as database:
        steps = [
            step[3]
            for statement, values in queries
            if "SELECT" in statement
            for step in database.execute(f"EXPLAIN QUERY PLAN {statement}", values)
        ]
    scanned = {step.split()[1] for step in steps if step.startswith("SCAN")}
    assert "SEARCH recipient USING INDEX" in " ".join(steps)
    assert scanned.isdisjoint({"message", "inbox", "recipient", "wire", "sequence_number"})
