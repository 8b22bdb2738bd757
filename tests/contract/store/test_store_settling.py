"""Ledger and outbox at their ends: publishes given up, receipts that come again."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from store_samples import NOW, later, outbox_row, outgoing, receipt

from bridge.adapters.store import SqlStore
from bridge.adapters.store.tables import wire
from bridge.ports.store.records import OutgoingMessage, OutgoingRecipient, ReceiptRow


async def given(store: SqlStore, message: OutgoingMessage) -> None:
    async with store.writing() as unit:
        await unit.ledger.add(message)


async def receive(store: SqlStore, *receipts: ReceiptRow) -> None:
    async with store.writing() as unit:
        await unit.ledger.add_receipts(receipts)


async def recipients(store: SqlStore, message: OutgoingMessage) -> dict[str, OutgoingRecipient]:
    async with store.reading() as unit:
        found = await unit.ledger.get(message.id)
    assert found is not None
    return {to.id: to for to in found.recipients}


async def count_wires(store: SqlStore) -> int:
    # The port never says how many bytes are kept; that nothing piles up is only seen here.
    async with store._engine.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(wire))).scalar_one())


async def test_what_was_given_up_is_expired_where_it_was_pending_and_nowhere_else(store: SqlStore) -> None:
    message = outgoing("at.ncp", "at.border-police", "hu.ncp", "hr.ncp")
    await given(store, message)
    async with store.writing() as unit:
        await unit.ledger.mark_sent([(message.id, "hr")], NOW)
        await unit.ledger.mark_expired([(message.id, "at"), (message.id, "hr")])

    states = {name: (to.state, to.code) for name, to in (await recipients(store, message)).items()}
    assert states == {
        "at.ncp": ("expired", "E_EXPIRED"),
        "at.border-police": ("expired", "E_EXPIRED"),
        "hu.ncp": ("pending", None),
        "hr.ncp": ("sent", None),
    }


async def test_a_publish_whose_outcome_nobody_knows_is_told_from_one_that_no_broker_took(store: SqlStore) -> None:
    # given publishes to three countries of which two have an unknown outcome, and one of these is confirmed after all
    message = outgoing("at.ncp", "at.border-police", "hu.ncp", "hr.ncp")
    await given(store, message)
    async with store.writing() as unit:
        await unit.ledger.add_receipts([receipt(message, "at.border-police", state="rejected", code="E_NO_KEY")])
        await unit.ledger.mark_uncertain([(message.id, "at"), (message.id, "hr")])
        assert (await recipients(store, message))["at.ncp"].state == "pending"
        await unit.ledger.mark_sent([(message.id, "hr")], NOW)
        await unit.ledger.mark_uncertain([(message.id, "hr")])

    # when all are given up
    async with store.writing() as unit:
        await unit.ledger.mark_expired([(message.id, country) for country in ("at", "hu", "hr")])

    # then
    states = {name: (to.state, to.code) for name, to in (await recipients(store, message)).items()}
    assert states == {
        "at.ncp": ("expired", "E_PUBLISH_UNKNOWN"),
        "at.border-police": ("rejected", "E_NO_KEY"),
        "hu.ncp": ("expired", "E_EXPIRED"),
        "hr.ncp": ("sent", None),
    }


@pytest.mark.parametrize(("state", "code"), [("delivered", None), ("rejected", "E_NO_KEY")])
async def test_a_receipt_for_what_was_given_up_says_what_became_of_it(
    store: SqlStore, state: str, code: str | None
) -> None:
    message = outgoing("at.ncp")
    await given(store, message)
    async with store.writing() as unit:
        await unit.ledger.mark_expired([(message.id, "at")])

    await receive(store, receipt(message, "at.ncp", state=state, code=code))

    to = (await recipients(store, message))["at.ncp"]
    assert (to.state, to.code) == (state, code)


async def test_a_row_given_up_waits_no_longer_and_only_its_lease_gives_it_up(store: SqlStore) -> None:
    row, other = outbox_row(), outbox_row()
    async with store.writing() as unit:
        await unit.outbox.add([row, other])
        await unit.outbox.claim("publisher", token="mine", now=NOW, lease_seconds=60, limit=10)
        assert await unit.outbox.mark_expired([row.id], token="mine", now=NOW) == 1
        assert await unit.outbox.mark_expired([other.id], token="theirs", now=NOW) == 0

    async with store.writing() as unit:
        assert (await unit.outbox.backlog("publisher"))[0] == 1
        due = await unit.outbox.claim("publisher", token="next", now=later(61), lease_seconds=60, limit=10)
    assert [row.id for row in due] == [other.id]


@pytest.mark.parametrize("at_once", [False, True])
async def test_a_repeated_receipt_leaves_nothing_behind(store: SqlStore, *, at_once: bool) -> None:
    message = outgoing("at.ncp")
    await given(store, message)
    rejected, *again = (receipt(message, "at.ncp", state="rejected", code="E_NO_KEY") for _ in range(5))
    delivered = [receipt(message, "at.ncp") for _ in range(5)]

    if at_once:
        await receive(store, rejected, *again, *delivered)
    else:
        for one in (rejected, *again, *delivered):
            await receive(store, one)

    assert await count_wires(store) == 3  # the message, the first rejection, the first delivery
    assert (await recipients(store, message))["at.ncp"].state == "delivered"


async def test_whoever_is_stopped_is_given_up_where_it_was_pending_and_says_why(store: SqlStore) -> None:
    message = outgoing("at.ncp", "at.border-police", "hu.ncp", "hr.ncp")
    await given(store, message)
    async with store.writing() as unit:
        await unit.ledger.mark_sent([(message.id, "hu")], NOW)
        await unit.ledger.mark_uncertain([(message.id, "hr")])
        stopped = [(message.id, name, "E_RECIPIENT_GONE") for name in ("hr.ncp", "hu.ncp", "at.ncp", "xo.nobody")]
        await unit.ledger.mark_stopped(stopped)
        await unit.ledger.mark_sent([(message.id, "at")], NOW)  # for the other one there

    states = {name: (to.state, to.code) for name, to in (await recipients(store, message)).items()}
    assert states == {
        "at.ncp": ("expired", "E_RECIPIENT_GONE"),
        "at.border-police": ("sent", None),
        "hu.ncp": ("sent", None),
        "hr.ncp": ("expired", "E_PUBLISH_UNKNOWN"),
    }


async def test_what_waits_is_listed_whenever_it_is_due_and_can_be_withdrawn(store: SqlStore) -> None:
    # given a row that is leased, one whose next attempt is to come, one of a router, and others
    leased, later_on, other, last = (outbox_row() for _ in range(4))
    async with store.writing() as unit:
        await unit.outbox.add([leased])
        await unit.outbox.claim("publisher", token="a relay", now=NOW, lease_seconds=60, limit=1)
        await unit.outbox.add([later_on])
        await unit.outbox.claim("publisher", token="mine", now=NOW, lease_seconds=60, limit=1)
        await unit.outbox.mark_failed([later_on.id], token="mine", next_attempt_at=later(300), error="refused")
        await unit.outbox.add([other, outbox_row(relay="subscriber"), last])

    async def waiting(*of: str) -> list[str]:
        async with store.reading() as unit:
            ids = of or await unit.outbox.waiting_ids("publisher", now=NOW)
            return sorted(row.id for row in await unit.outbox.waiting_rows(ids))

    # then
    assert await waiting() == sorted([later_on.id, other.id, last.id])
    assert await waiting(other.id, "unknown") == [other.id]

    # and when some are withdrawn, the leased one as well
    async with store.writing() as unit:
        await unit.outbox.withdraw([leased.id, other.id], NOW)
        assert await unit.outbox.mark_sent([leased.id], token="a relay", now=NOW) == 0
        assert (await unit.outbox.backlog("publisher"))[0] == 2
    assert await waiting() == sorted([later_on.id, last.id])
    assert await waiting(other.id, last.id) == [last.id]
