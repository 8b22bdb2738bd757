"""Open pages hear of what is committed by another process, on both databases: soon, and only what is theirs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import pytest
from store_samples import NOW, item, outgoing, receipt

from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.system import SystemClock
from bridge.app.accounts.roles import Role
from bridge.app.accounts.sign_in import Person
from bridge.console import live as console_live
from bridge.console.live import Live
from bridge.console.news import ANYTHING, BROKER, DRAFT, INBOX, MESSAGE, MOST_WAITING, SENT, SESSION, Listener, News
from bridge.core.errors import UnavailableError
from bridge.ports.store.records import AuditEntry

PATIENCE = 20.0
OFFICER = Person("huber", "M. Huber", (Role.DUTY_OFFICER,), "at.ncp", None)
OPERATOR = Person("gruber", "G. Gruber", (Role.OPERATOR,), None, None)


@pytest.fixture
async def other(store_url: str) -> AsyncIterator[SqlStore]:
    """The same database as another process has it."""
    opened = open_store(store_url)
    yield opened
    await opened.close()


@pytest.fixture
async def live(store: SqlStore) -> AsyncIterator[Live]:
    """A watcher that has looked once."""

    async def receives() -> bool:
        return True

    made, stop = Live(store, SystemClock(), ["at.ncp", "rs.ncp"], receives), asyncio.Event()
    running = asyncio.create_task(made.run(stop))
    await until_it_has_looked(made)
    yield made
    stop.set()
    await running


async def until_it_has_looked(live: Live) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if live.waiting_at("at.ncp") is not None:
                return
            await asyncio.sleep(0.01)


def listen(live: Live, person: Person) -> Listener:
    listener = live.listen(person, b"session")
    assert listener is not None
    return listener


async def heard(listener: Listener, topic: str) -> News:
    """The first news of a topic; others are passed over."""
    return next(news for news in reversed(await heard_until(listener, topic)) if news.topic == topic)


async def heard_until(listener: Listener, topic: str) -> list[News]:
    """Everything up to the news of a topic."""
    found: list[News] = []
    async with asyncio.timeout(PATIENCE):
        while topic not in {news.topic for news in found}:
            found += await listener.next(PATIENCE)
    return found


async def log(store: SqlStore, *actions: str, at: str | None = "at.ncp", subject: str = "some") -> None:
    async with store.writing() as unit:
        await unit.audit.add([AuditEntry(NOW, "somebody", action, at, subject) for action in actions])


async def test_what_arrives_is_heard_within_a_second_of_its_commit(live: Live, other: SqlStore) -> None:
    listener = listen(live, OFFICER)
    waits = []
    for _ in range(5):
        arrived = item()
        async with other.writing() as unit:
            await unit.inbox.add([arrived])
            await unit.audit.add([AuditEntry(NOW, "at.ncp", "message.received", "at.ncp", arrived.id)])
        committed = monotonic()
        assert (await heard(listener, INBOX)).subject == arrived.id
        waits.append(monotonic() - committed)

    assert sorted(waits)[2] < 1.0
    waiting = live.waiting_at("at.ncp")
    assert waiting is not None
    assert waiting.newest > 0


async def test_a_page_hears_of_the_message_that_was_replaced_or_answered(live: Live, other: SqlStore) -> None:
    listener = listen(live, OFFICER)
    update = item(supersedes="first", supersedes_from="rs.ncp")
    answer = item(of="ours", of_from="at.ncp", acknowledge_by=None)
    async with other.writing() as unit:
        await unit.inbox.add([update, answer])
    await log(other, "message.received", subject=update.id)
    assert (await heard(listener, MESSAGE)).subject == "first"
    await log(other, "message.received", subject=answer.id)
    assert (await heard(listener, SENT)).subject == "ours"


async def test_senders_hear_that_a_receipt_came(live: Live, other: SqlStore) -> None:
    listener = listen(live, replace(OFFICER, contact_point="rs.ncp"))
    sent = outgoing("at.ncp")
    async with other.writing() as unit:
        await unit.ledger.add(sent)
    assert (await heard(listener, SENT)).subject == sent.id

    async with other.writing() as unit:
        await unit.ledger.add_receipts([receipt(sent, "at.ncp")])

    assert (await heard(listener, SENT)).subject == sent.id


async def test_everybody_hears_only_what_is_theirs(live: Live, other: SqlStore) -> None:
    officer, operator = listen(live, OFFICER), listen(live, OPERATOR)
    await log(other, "message.acknowledged", "draft.submitted", "message.acknowledged", at="rs.ncp", subject="theirs")
    await log(other, "message.refused", at=None, subject="refused")
    await log(other, "draft.submitted", subject="ours")
    await log(other, "session.ended", subject="gruber")

    of_officer, of_operator = await heard_until(officer, DRAFT), await heard_until(operator, SESSION)

    assert [(news.subject, news.contact_point) for news in of_officer if news.topic != BROKER] == [("ours", "at.ncp")]
    assert [news.subject for news in of_operator if news.topic != BROKER] == ["refused", "gruber"]


async def test_looking_at_something_is_no_news(live: Live, other: SqlStore) -> None:
    listener = listen(live, OFFICER)
    await log(other, "body.read", "draft.read", "drafts.listed")
    await log(other, "message.taken", subject="taken")

    assert (await heard(listener, MESSAGE)).subject == "taken"


async def test_a_stream_that_comes_back_hears_what_it_missed(live: Live, other: SqlStore) -> None:
    async with other.reading() as unit:
        before = await unit.happenings.newest()
    await log(other, "message.taken", subject="taken")

    assert [(news.topic, news.subject) for news in await live.missed(before)] == [(MESSAGE, "taken")]

    await log(other, *["message.taken"] * console_live.MOST_MISSED)
    assert await live.missed(before) == [News(ANYTHING)]


async def test_listeners_are_bounded_and_so_is_what_waits_for_them(live: Live) -> None:
    listeners = [live.listen(OFFICER, b"one") for _ in range(console_live.MOST_OF_A_SESSION + 1)]
    assert listeners.pop() is None
    first = listeners[0]
    assert first is not None
    for number in range(3 * MOST_WAITING):
        first.tell(News(MESSAGE, "at.ncp", str(number)))
    waiting = await first.next(0)
    assert len(waiting) <= MOST_WAITING
    assert News(ANYTHING) in waiting

    live.leave(first)
    assert live.listen(OFFICER, b"one") is not None


async def test_after_a_database_that_was_away_anything_may_have_changed(
    live: Live, other: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = listen(live, OFFICER)
    failed = asyncio.Event()

    async def fail(*_: object, **__: object) -> None:
        failed.set()
        raise UnavailableError("E_DATABASE", "away")

    with monkeypatch.context() as broken:
        broken.setattr("bridge.console.live.owed_answers", fail)
        await log(other, "message.taken", subject="lost")
        await asyncio.wait_for(failed.wait(), PATIENCE)

    assert (await heard(listener, ANYTHING)).topic == ANYTHING
