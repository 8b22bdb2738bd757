"""Who has not got what was sent, and where the outbox waits: what `status` names."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import event
from store_samples import NOW, later, outbox_row, outgoing, receipt

from bridge.adapters.store import SqlStore
from bridge.ports.store import Store
from bridge.ports.store.records import OutboxRow, OutgoingMessage, Undelivered, UndeliveredCount, Waiting

HOUR = 3600
DAY = 24 * HOUR


async def given_sent(store: Store, *messages: OutgoingMessage) -> None:
    async with store.writing() as unit:
        for message in messages:
            await unit.ledger.add(message)


async def undelivered(
    store: Store, *, expires_after: datetime = NOW, sent_before: datetime = NOW, limit: int = 100
) -> tuple[list[UndeliveredCount], list[Undelivered]]:
    async with store.reading() as unit:
        counts, first = await unit.ledger.undelivered(expires_after=expires_after, sent_before=sent_before, limit=limit)
    return list(counts), list(first)


async def test_what_was_delivered_to_one_is_named_for_the_other(store: Store) -> None:
    sent = outgoing("at.ncp", "hu.ncp")
    await given_sent(store, sent)
    async with store.writing() as unit:
        await unit.ledger.add_receipts([receipt(sent, "at.ncp")])

    counts, first = await undelivered(store)

    assert counts == [UndeliveredCount("hu.ncp", "pending", 1)]
    expected = Undelivered(
        sent.id, "hu.ncp", "route_alert", "immediate", sent.sent, sent.expires, state="pending", code=None
    )
    assert first == [expected]


async def test_what_was_sent_lately_is_named_only_when_it_ended(store: Store) -> None:
    waiting, refused, given_up = (outgoing("at.ncp", sent=later(1)) for _ in range(3))
    await given_sent(store, waiting, refused, given_up)
    async with store.writing() as unit:
        await unit.ledger.add_receipts([receipt(refused, "at.ncp", state="rejected", code="E_SCHEMA")])
        await unit.ledger.mark_expired([(given_up.id, "at")])

    counts, first = await undelivered(store)

    assert counts == [UndeliveredCount("at.ncp", "expired", 1), UndeliveredCount("at.ncp", "rejected", 1)]
    assert [(one.id, one.state, one.code) for one in first] == [
        (refused.id, "rejected", "E_SCHEMA"),
        (given_up.id, "expired", "E_EXPIRED"),
    ]


async def test_a_message_counts_as_long_as_it_expires_after_the_moment(store: Store) -> None:
    old = outgoing("at.ncp", sent=later(-30 * DAY), expires=later(1))
    over = outgoing("at.ncp", sent=later(-30 * DAY), expires=NOW)
    await given_sent(store, old, over)

    counts, first = await undelivered(store)

    assert counts == [UndeliveredCount("at.ncp", "pending", 1)]
    assert [one.id for one in first] == [old.id]


async def test_immediate_ones_come_first_then_the_older_and_the_list_is_bounded(store: Store) -> None:
    routine = [outgoing("at.ncp", urgency="expected", lane="normal", sent=later(-n)) for n in range(3)]
    urgent = [outgoing("at.ncp", sent=later(-n)) for n in range(3)]
    await given_sent(store, *routine, *urgent)

    counts, first = await undelivered(store, limit=4)

    assert counts == [UndeliveredCount("at.ncp", "pending", 6)]
    assert [one.id for one in first] == [urgent[2].id, urgent[1].id, urgent[0].id, routine[2].id]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL's plan depends on its statistics
async def test_only_the_undelivered_are_read_however_much_was_sent(store: SqlStore, store_url: str) -> None:
    queries: list[tuple[str, tuple[object, ...]]] = []

    def note(*call: Any) -> None:  # noqa: ANN401 - what the library hands over
        queries.append((call[2], call[3]))

    event.listen(store._engine.sync_engine, "before_cursor_execute", note)
    await undelivered(store)

    about_recipients = [one for one in queries if "recipient" in one[0]]
    assert len(about_recipients) == 2
    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"))) as database:
        for statement, values in about_recipients:
            (first, *_) = database.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
            assert first[3] == "SCAN recipient USING INDEX ix_recipient_undelivered"


async def given_waiting(store: Store, *rows: OutboxRow) -> None:
    async with store.writing() as unit:
        await unit.outbox.add(rows)


async def waiting(store: Store) -> set[Waiting]:
    async with store.reading() as unit:
        return set(await unit.outbox.waiting())


async def test_what_waits_is_counted_by_destination_and_error(store: Store) -> None:
    to_austria = Waiting("publisher", "at", "rs.at.normal.route_alert", "normal", None, 2, NOW)
    full = replace(to_austria, last_error="refused", count=1, oldest=later(-60))
    inbox = Waiting("subscriber", "rs", "rs.ncp.urgent", "urgent", "unroutable", 1, NOW)
    await given_waiting(
        store,
        outbox_row(),
        outbox_row(created_at=later(5)),
        outbox_row(created_at=later(-60), last_error="refused"),
        outbox_row(
            relay="subscriber", country="rs", routing_key="rs.ncp.urgent", lane="urgent", last_error="unroutable"
        ),
    )

    assert await waiting(store) == {to_austria, full, inbox}


async def test_what_was_settled_waits_no_more(store: Store) -> None:
    sent, given_up, failed = outbox_row(), outbox_row(), outbox_row()
    await given_waiting(store, sent, given_up, failed)
    async with store.writing() as unit:
        await unit.outbox.claim("publisher", token="t", now=NOW, lease_seconds=60, limit=10)
        await unit.outbox.mark_sent([sent.id], token="t", now=NOW)
        await unit.outbox.mark_expired([given_up.id], token="t", now=NOW)
        await unit.outbox.mark_failed([failed.id], token="t", next_attempt_at=later(60), error="unknown")

    assert {(one.count, one.last_error) for one in await waiting(store)} == {(1, "unknown")}
