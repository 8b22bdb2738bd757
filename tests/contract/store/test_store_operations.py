"""What an operator may see of the traffic: facts of the last day, and nothing that holds a word of a message."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import event
from sqlalchemy.engine import Engine
from store_samples import NOW, item, later, outgoing, receipt, refusal

from bridge.adapters.store import SqlStore
from bridge.core.ids import first_id_of, time_of
from bridge.ports.store import Store
from bridge.ports.store.operations import ReceivedFact

NEVER_READ = ("ciphertext", "wrapped_key", "wire_bytes", "reason", "detail", "properties")


def id_at(at: datetime, serial: int) -> str:
    return f"{first_id_of(at)[:-3]}{serial:03x}"


def test_an_id_of_a_time_is_the_first_of_its_millisecond() -> None:
    at = NOW.replace(microsecond=234000)

    assert time_of(first_id_of(at)) == at
    assert first_id_of(at) < id_at(at, 1) < first_id_of(at + timedelta(milliseconds=1))


async def test_what_was_sent_since_is_told_a_recipient_at_a_time(store: Store) -> None:
    old = outgoing("at.ncp", id=id_at(NOW - timedelta(days=2), 1))
    new = outgoing("at.ncp", "hu.ncp", id=id_at(NOW, 2))
    async with store.writing() as unit:
        for message in (old, new):
            await unit.ledger.add(message)
        await unit.ledger.add_receipts([receipt(new, "at.ncp")])

    async with store.reading() as unit:
        facts = await unit.operations.sent_since(NOW - timedelta(days=1), limit=10)

    assert [(one.recipient, one.state) for one in facts] == [("at.ncp", "delivered"), ("hu.ncp", "pending")]
    assert facts[0].delivered_at is not None
    assert facts[1].delivered_at is None


async def test_what_arrived_since_is_told_by_its_sender(store: Store) -> None:
    arrived = item(id=id_at(NOW, 3), received_at=later(5))
    early = item(id=id_at(NOW - timedelta(days=3), 4), received_at=NOW - timedelta(days=3))
    async with store.writing() as unit:
        await unit.inbox.add([early, arrived])

    async with store.reading() as unit:
        facts = await unit.operations.received_since(NOW - timedelta(days=1), limit=10)

    assert facts == [ReceivedFact(arrived.sender, later(5))]


async def test_the_quarantine_is_counted_by_reason(store: Store) -> None:
    async with store.writing() as unit:
        await unit.refusals.quarantine(
            [refusal(code="E_SIGNATURE"), refusal(code="E_SIGNATURE"), refusal(code="E_JSON")], quota_bytes=1 << 20
        )

    async with store.reading() as unit:
        groups = await unit.operations.refused_groups()

    assert [(group.code, group.count, group.replayed) for group in groups] == [("E_SIGNATURE", 2, 0), ("E_JSON", 1, 0)]


async def test_no_statement_of_an_operator_reads_content(store: SqlStore) -> None:
    said: list[str] = []

    def note(_c: object, _u: object, statement: str, *_: object) -> None:
        said.append(statement)

    engine: Engine = store._engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    async with store.reading() as unit:
        await unit.operations.sent_since(NOW, limit=10)
        await unit.operations.received_since(NOW, limit=10)
        await unit.operations.refused_groups()
    event.remove(engine, "before_cursor_execute", note)

    selected = " ".join(statement for statement in said if "SELECT" in statement).lower()
    assert "recipient" in selected
    assert [name for name in NEVER_READ if name in selected] == []
