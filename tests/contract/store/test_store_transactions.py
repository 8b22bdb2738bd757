"""Units of work: everything or nothing, one moment for a reader, writers that do not lose each other's work."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

import pytest
from sqlalchemy import func, select
from store_samples import BODY, entry, item, message_id, outbox_row, outgoing, receipt, refusal, use

from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.store.tables import metadata
from bridge.core.errors import BridgeError, UnavailableError
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.accounts import AccountRecord, SessionRecord
from bridge.ports.store.audit_seals import AuditSeal
from bridge.ports.store.drafts import WRITING, DraftRecord
from bridge.ports.store.handovers import HandoverRecord
from bridge.ports.store.no_gap import AskedAgain
from bridge.ports.store.notices import NoticeRecord
from bridge.ports.store.records import InboxItem, Replay
from bridge.ports.store.search import Source
from bridge.ports.store.systems import SubmissionRecord, TokenRecord
from bridge.ports.store.webhooks import DeliveryRecord, WebhookRecord


class Interrupted(Exception):  # noqa: N818 - it is an event in the test, not an error of the product
    """What ends a unit of work before its time."""


async def write_everything(unit: UnitOfWork) -> None:
    """One row into every table that a use case writes."""
    message, received = outgoing("at.ncp"), item()
    await unit.ledger.add(message)
    await unit.ledger.next_numbers("rs.ncp", ["at.ncp"], lane="urgent")
    await unit.ledger.add_receipts([receipt(message, "at.ncp")])
    await unit.outbox.add([outbox_row()])
    await unit.inbox.add([received])
    await unit.inbox.remember(
        "at.ncp", {("rs.ncp", received.id): Replay(received.payload_sha256, "delivered", received.sent)}
    )
    await unit.inbox.use_numbers([use(1), use(5)], received.received_at)
    (refused,) = await unit.refusals.quarantine([refusal()], quota_bytes=10_000)
    await unit.refusals.note_returned(refused, at=received.received_at, receipt_id=received.id)
    await unit.refusals.hold([refusal(code="E_FUTURE")], quotas={"E_FUTURE": 10_000})
    await unit.audit.add([entry(received.id)])
    await unit.peers.hear("at.ncp", {"rs.ncp": received.sent})
    asked = AskedAgain("rs.ncp", "at.ncp", 1, "urgent", 7, message.id, None, 1, received.sent, received.sent)
    await unit.asked_again.note([asked])
    await write_for_people(unit, received)


async def write_for_people(unit: UnitOfWork, received: InboxItem) -> None:
    """The tables of those who work at a node."""
    at = received.received_at
    await unit.accounts.add(AccountRecord("huber", "M. Huber", ("duty_officer",), "at.ncp", at))
    await unit.accounts.begin_session(SessionRecord(b"digest", "huber", at, at))
    await unit.drafts.add(DraftRecord("a-draft", "at.ncp", "huber", "route_alert", WRITING, 1, at, at, BODY))
    await unit.handovers.add(HandoverRecord("a-shift", "at.ncp", "huber", None, at, (), BODY))
    await unit.notices.add([NoticeRecord("a-notice", "at.ncp", "duty", "new", received.id, at)])
    (kept,) = await unit.search.unread("at.ncp", Source.INBOX, limit=1)
    await unit.search.add("at.ncp", Source.INBOX, {kept.position: [7]})
    await unit.corridors.count("at.ncp", Source.INBOX, after=0, up_to=1, changes={("2026Q4", "RS", "AT", "*"): 1})
    await unit.audit_seals.add(AuditSeal(1, 1, at, b"mac"))
    await unit.systems.add_token(TokenRecord(b"digest", "cases", "at.ncp", ("inbox:read",), "admin", at))
    await unit.systems.note_submission(SubmissionRecord("cases", "key", b"sha256", received.id, "{}", at))
    await unit.webhooks.add(
        WebhookRecord("a-hook", "rs.ncp", "https://a.example", ("message.state",), BODY, "m", at, 0)
    )
    about = ("message.state", "rs.ncp", received.id, "at.ncp", "sent", None, None, None, None)
    await unit.webhooks.add_deliveries([DeliveryRecord("an-event", "a-hook", *about, at, at, at)])
    own = outgoing("at.ncp")
    await unit.ledger.add(own)
    await unit.ledger.mark_sent([(own.id, "at")], at)


async def rows_in_tables(store: SqlStore) -> dict[str, int]:
    async with store._engine.connect() as connection:
        return {
            table.name: (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in metadata.sorted_tables
            if table.name != "node_state"
        }


async def test_what_ends_in_an_exception_leaves_nothing_in_any_table(store: SqlStore) -> None:
    async def be_interrupted() -> None:
        async with store.writing() as unit:
            await write_everything(unit)
            raise Interrupted

    with pytest.raises(Interrupted):
        await be_interrupted()

    assert set((await rows_in_tables(store)).values()) == {0}


async def test_what_is_left_in_peace_is_in_every_table(store: SqlStore) -> None:
    async with store.writing() as unit:
        await write_everything(unit)

    assert 0 not in (await rows_in_tables(store)).values()


async def test_a_unit_that_is_cancelled_leaves_nothing_and_lets_the_next_one_in(store: SqlStore) -> None:
    begun = asyncio.Event()

    async def write_for_ever() -> None:
        async with store.writing() as unit:
            await write_everything(unit)
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write_for_ever())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert set((await rows_in_tables(store)).values()) == {0}
    async with asyncio.timeout(5), store.writing() as unit:
        await unit.audit.add([entry(message_id())])


async def test_a_failure_that_the_caller_swallows_is_not_committed(store: SqlStore) -> None:
    message = outgoing("at.ncp")

    async def swallow() -> None:
        async with store.writing() as unit:
            await unit.audit.add([entry(message.id)])
            await unit.ledger.add(message)
            with suppress(UnavailableError):
                await unit.ledger.add(message)

    with pytest.raises(UnavailableError):
        await swallow()

    assert set((await rows_in_tables(store)).values()) == {0}


async def test_a_reader_cannot_write(store: SqlStore) -> None:
    with pytest.raises(UnavailableError):
        async with store.reading() as unit:
            await unit.audit.add([entry(message_id())])

    assert set((await rows_in_tables(store)).values()) == {0}


async def test_a_writer_that_follows_a_reader_on_the_same_connection_can_write(store: Store) -> None:
    for _ in range(3):
        async with store.reading() as unit:
            before = len(await unit.audit.list())
        async with store.writing() as unit:
            await unit.audit.add([entry(message_id())])
        async with store.reading() as unit:
            assert len(await unit.audit.list()) == before + 1


async def test_a_reader_sees_one_moment_and_does_not_hold_up_writers(store: Store, other_store: Store) -> None:
    async with store.reading() as reader:
        assert await reader.audit.list() == []
        async with asyncio.timeout(5), other_store.writing() as writer:
            await writer.audit.add([entry(message_id())])
        assert await reader.audit.list() == []
        assert await reader.refusals.list() == []

    async with store.reading() as reader:
        assert len(await reader.audit.list()) == 1


async def test_writers_at_once_all_get_through(store: Store, other_store: Store) -> None:
    async def write(own: Store, number: int) -> None:
        async with own.writing() as unit:
            await unit.audit.add([entry(str(number))])
            await unit.inbox.add([item()])

    await asyncio.gather(*(write(own, number) for number, own in enumerate((store, other_store) * 15)))

    async with store.reading() as unit:
        assert {found.subject for found in await unit.audit.list()} == {str(number) for number in range(30)}
        assert len(await unit.inbox.list()) == 30


async def test_two_that_store_the_same_messages_in_turned_order_do_not_block_each_other(
    store: Store, other_store: Store
) -> None:
    """Two contact points of one node receive the same bytes at the same time."""
    for _ in range(5):
        ids = [message_id() for _ in range(20)]
        ours = [item(id=own, wire_bytes=own.encode()) for own in ids]
        theirs = [item(id=own, wire_bytes=own.encode(), contact_point="at.border-police") for own in reversed(ids)]

        async def write(own: Store, items: list[InboxItem]) -> None:
            async with own.writing() as unit:
                await unit.inbox.add(items)

        await asyncio.gather(write(store, ours), write(other_store, theirs))

    async with store.reading() as unit:
        assert len(await unit.inbox.list()) == 200


async def test_receipts_and_confirmations_of_the_same_messages_do_not_block_each_other(
    store: Store, other_store: Store
) -> None:
    messages = [outgoing("at.ncp", "at.border-police") for _ in range(30)]
    async with store.writing() as unit:
        for message in messages:
            await unit.ledger.add(message)
    receipts = [receipt(message, to) for message in reversed(messages) for to in ("at.ncp", "at.border-police")]

    async def confirm() -> None:
        async with store.writing() as unit:
            await unit.ledger.mark_sent([(message.id, "at") for message in messages], messages[0].sent)

    async def answer() -> None:
        async with other_store.writing() as unit:
            await unit.ledger.add_receipts(receipts)

    await asyncio.gather(confirm(), answer())

    async with store.reading() as unit:
        found = await unit.ledger.list()
    assert {(to.state, to.sent_at) for message in found for to in message.recipients} == {
        ("delivered", messages[0].sent)
    }


async def test_items_become_visible_in_the_order_of_their_positions(store: Store, other_store: Store) -> None:
    """Else a watcher, whose cursor is behind the later item already, would step over the earlier one."""
    first, second = item(), item(contact_point="at.border-police")
    seen: list[list[str]] = []

    async def add_slowly() -> None:
        async with store.writing() as unit:
            await unit.inbox.add([first])
            begun.set()
            await asyncio.sleep(0.1)

    async def add_behind() -> None:
        await begun.wait()
        async with other_store.writing() as unit:
            await unit.inbox.add([second])
        async with other_store.reading() as unit:
            seen.append([one.id for one in await unit.inbox.list()])

    begun = asyncio.Event()
    await asyncio.gather(add_slowly(), add_behind())

    assert seen == [[first.id, second.id]]


async def test_receiving_for_a_contact_point_is_one_at_a_time(store: Store, other_store: Store) -> None:
    """Else two processes could each accept another payload under one id."""
    log: list[str] = []

    async def receive(own: Store, name: str) -> None:
        async with own.writing() as unit:
            await unit.inbox.begin_receiving("at.ncp")
            log.append(f"{name} begins")
            await asyncio.sleep(0.05)
            log.append(f"{name} ends")

    await asyncio.gather(receive(store, "one"), receive(other_store, "other"))

    assert log in (
        ["one begins", "one ends", "other begins", "other ends"],
        ["other begins", "other ends", "one begins", "one ends"],
    )


@pytest.mark.parametrize("url", ["sqlite:///{folder}/missing.db", "postgresql://nobody@127.0.0.1:1/nothing"])
async def test_a_database_that_is_not_there_is_unavailable(tmp_path: Path, url: str) -> None:
    store = open_store(url.format(folder=tmp_path))
    try:
        for unit_of_work in (store.reading, store.writing):
            with pytest.raises(UnavailableError) as raised:
                async with unit_of_work():
                    pytest.fail("nothing may be done without a database")
            assert raised.value.code == "E_DATABASE"
    finally:
        await store.close()
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - a folder of one test, nothing waits for it


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "mysql://host/db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "postgresql+psycopg://h/d",
    ],
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(BridgeError) as raised:
        open_store(url)
    assert raised.value.code == "E_DATABASE_URL"
