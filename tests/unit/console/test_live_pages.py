"""What scripts of open pages are told: kinds of news, counts and sentences, to people of the right session only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx
import pytest
from console_world import HOSTED, IDLE, Browser, World, receives

from bridge.app.accounts.roles import Role
from bridge.console import live as console_live
from bridge.console.live import Live
from bridge.console.news import INBOX, Listener, News
from bridge.console.pages import live as live_page
from bridge.ports.store.records import AuditEntry, InboxItem

PATIENCE = 20.0
MINUTE = timedelta(minutes=1)


def received(people: World, message_id: str, **given: object) -> InboxItem:
    now = people.clock.now()
    members: dict[str, object] = {
        "contact_point": "rs.ncp",
        "id": message_id,
        "sender": "at.ncp",
        "kind": "route_alert",
        "schema": "urn:ncp-bridge:route_alert:1.0",
        "status": "actual",
        "urgency": "immediate",
        "lane": "urgent",
        "thread": message_id,
        "sent": now,
        "expires": now + timedelta(days=1),
        "received_at": now,
        "acknowledge_by": now + timedelta(hours=1),
        "state": "new",
        "payload_sha256": "payload",
        "sealed_sha256": "sealed",
        "wire_bytes": message_id.encode(),
        "body": None,
    }
    return InboxItem(**members | given)  # type: ignore[arg-type]


async def arrive(people: World, message_id: str, **given: object) -> None:
    async with people.store.writing() as unit:
        await unit.inbox.add([received(people, message_id, **given)])
        entry = AuditEntry(people.clock.now(), "rs.ncp", "message.received", "rs.ncp", message_id)
        await unit.audit.add([entry])


async def log(people: World, action: str, *, actor: str, subject: str) -> None:
    async with people.store.writing() as unit:
        await unit.audit.add([AuditEntry(people.clock.now(), actor, action, "rs.ncp", subject)])


@asynccontextmanager
async def watched(people: World, *roles: Role) -> AsyncIterator[tuple[Browser, Live]]:
    """A browser of somebody with these roles, at a console whose watcher has looked; and the watcher."""
    live, stop = Live(people.store, people.clock, HOSTED, receives), asyncio.Event()
    running = asyncio.create_task(live.run(stop))
    login = await people.person(*roles)
    await until(lambda: live.waiting_at("rs.ncp") is not None)
    yield Browser(people.app(live=live), await people.session(login)), live
    stop.set()
    await running


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


def listeners(live: Live) -> list[Listener]:
    return list(live._listeners)  # nobody else asks


async def news(browser: Browser, after: object = "") -> dict[str, object]:
    found: dict[str, object] = (await browser.get(f"/live/news?after={after}")).json()
    return found


def events(answer: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    blocks = [dict(line.split(": ", 1) for line in block.splitlines()) for block in answer.text.split("\n\n") if block]
    return [(block["event"], json.loads(block["data"])) for block in blocks if "event" in block]


async def test_a_page_learns_how_much_is_new_and_what_is_due(people: World) -> None:
    async with watched(people, Role.DUTY_OFFICER) as (browser, live):
        before = await news(browser)
        assert before == {"newest": 0, "count": 0, "text": "", "banners": []}
        await arrive(people, "first")
        now = people.clock.now()
        await arrive(people, "second", received_at=now - 55 * MINUTE, acknowledge_by=now + 5 * MINUTE)
        await arrive(people, "third", acknowledge_by=None)
        await arrive(people, "fourth", acknowledge_by=people.clock.now() - 10 * MINUTE)

        await until(lambda: getattr(live.waiting_at("rs.ncp"), "due", 0) == 1)
        found = await news(browser, 0)
        page = (await browser.get("/account")).text

    assert (found["count"], found["text"]) == (3, "3 new messages, show")
    assert found["banners"] == [
        {"level": "alarm", "text": "1 answer of ours is overdue", "address": "/inbox"},
        {"level": "due", "text": "1 answer of ours is due soon", "address": "/inbox"},
    ]
    assert "1 answer of ours is overdue" in page


@pytest.mark.parametrize("after", ["x", "-1", "9" * 40, "1e3", "٣"])
async def test_an_address_that_somebody_made_up_is_no_place(people: World, after: str) -> None:
    async with watched(people, Role.DUTY_OFFICER) as (browser, _):
        assert (await news(browser, after))["count"] == 0


async def test_who_reads_no_messages_learns_nothing_of_them(people: World) -> None:
    async with watched(people, Role.OPERATOR) as (browser, _):
        await arrive(people, "first", acknowledge_by=people.clock.now() - 10 * MINUTE)
        assert await news(browser, 0) == {"newest": None, "count": 0, "text": "", "banners": []}
        assert (await browser.get("/message/at.ncp/first/changed")).status_code == 403


async def test_an_open_message_says_what_a_colleague_did_or_what_replaced_it(people: World) -> None:
    async with watched(people, Role.DUTY_OFFICER) as (browser, _):
        await arrive(people, "first")

        async def said() -> str:
            return str((await browser.get("/message/at.ncp/first/changed")).json()["text"])

        assert not await said()
        await log(people, "message.taken", actor="duty_officer", subject="first")
        assert not await said()  # one's own doing
        await log(people, "message.acknowledged", actor="novak", subject="first")
        assert await said() == "novak has acknowledged this message."
        await arrive(people, "update", kind="alert_update", supersedes="first", supersedes_from="at.ncp")
        assert await said() == "A newer version has arrived."
        await arrive(people, "end", kind="alert_cancel", supersedes="update", supersedes_from="at.ncp")
        assert (await browser.get("/message/at.ncp/update/changed")).json() == {
            "text": "This alert was cancelled.",
            "label": "Show",
            "address": "/message/at.ncp/end",
        }


async def test_a_stream_ends_with_its_session(people: World, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []
    monkeypatch.setattr(live_page, "_event", lambda *said, event=live_page._event: written.append(said) or event(*said))
    async with watched(people, Role.DUTY_OFFICER) as (browser, live):
        stream = asyncio.create_task(browser.get("/events"))
        await until(lambda: bool(listeners(live)))
        await arrive(people, "first")
        await until(lambda: any(news.topic == INBOX for news, _ in written))
        await browser.post("/sign-out")
        answer = await asyncio.wait_for(stream, PATIENCE)

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    found = events(answer)
    assert ("inbox", {"id": "first"}) in found
    assert found[-1] == ("ended", {})


async def test_a_stream_keeps_no_session_awake_and_ends_when_it_locks(
    people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "BEAT_SECONDS", 0.05)
    async with watched(people, Role.DUTY_OFFICER) as (browser, live):
        stream = asyncio.create_task(browser.get("/events"))
        await until(lambda: bool(listeners(live)))
        people.clock.advance(IDLE)
        answer = await asyncio.wait_for(stream, PATIENCE)
        assert events(answer)[-1] == ("ended", {})
        assert (await browser.get("/events")).status_code == 401


async def test_news_without_end_keep_no_stream_of_a_locked_session(
    people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    monkeypatch.setattr(live_page, "_event", lambda *said, event=live_page._event: written.append(said) or event(*said))
    monkeypatch.setattr(live_page, "BEAT_SECONDS", 0.5)
    async with watched(people, Role.DUTY_OFFICER) as (browser, live):
        # given a stream that has been told that its session began, and what came after
        stream = asyncio.create_task(browser.get("/events"))
        await until(lambda: bool(listeners(live)))
        await arrive(people, "before")
        await until(lambda: any(news.subject == "before" for news, _ in written))

        # when there is always something new while the session locks, then it ends
        people.clock.advance(IDLE)
        async with asyncio.timeout(PATIENCE):
            while not stream.done():
                for listener in listeners(live):
                    listener.tell(News(INBOX, "rs.ncp", "first"))
                await asyncio.sleep(0.01)
        assert events(await stream)[-1] == ("ended", {})


async def test_a_stream_that_comes_back_is_told_what_it_missed(people: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "BEAT_SECONDS", 0.05)
    async with watched(people, Role.DUTY_OFFICER) as (browser, live):
        async with people.store.reading() as unit:
            last = await unit.happenings.newest()
        await arrive(people, "missed")
        streams = [
            asyncio.create_task(browser.get("/events", **{"last-event-id": given})) for given in (str(last), "made up")
        ]
        await until(lambda: len(listeners(live)) == len(streams))
        people.clock.advance(IDLE)
        missed, made_up = [events(await asyncio.wait_for(stream, PATIENCE)) for stream in streams]

    assert ("inbox", {"id": "missed"}) in missed
    assert ("anything", {}) in made_up


async def test_there_is_an_end_to_how_many_streams_a_session_has(people: World) -> None:
    async with watched(people, Role.DUTY_OFFICER) as (browser, live):
        streams = [asyncio.create_task(browser.get("/events")) for _ in range(console_live.MOST_OF_A_SESSION)]
        await until(lambda: len(listeners(live)) == len(streams))
        refused = await browser.get("/events")
        await browser.post("/sign-out")
        await asyncio.wait_for(asyncio.gather(*streams), PATIENCE)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
