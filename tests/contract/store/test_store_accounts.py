"""What the store promises of accounts and sessions, on both databases."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.adapters.store import SqlStore
from bridge.ports.store.accounts import AccountRecord, SessionRecord

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
OFFICER = AccountRecord("m.huber", "M. Huber", ("duty_officer",), "at.ncp", NOW, password_hash="h")
ELSEWHERE = AccountRecord("a.kos", "A. Kos", ("operator",), None, NOW, subject="https://idp.example 17")


def session(number: int, *, login: str = "m.huber", minutes: int = 0) -> SessionRecord:
    began = NOW + timedelta(minutes=minutes)
    return SessionRecord(bytes([number]) * 32, login, began_at=began, seen_at=began, detail={"by": "password"})


async def with_sessions(store: SqlStore, *sessions: SessionRecord) -> None:
    async with store.writing() as unit:
        for account in (OFFICER, ELSEWHERE):
            await unit.accounts.add(account)
        for one in sessions:
            await unit.accounts.begin_session(one)


async def test_an_account_is_found_by_login_and_by_subject(store: SqlStore) -> None:
    await with_sessions(store)
    async with store.reading() as unit:
        assert await unit.accounts.get("m.huber") == OFFICER
        assert await unit.accounts.by_subject("https://idp.example 17") == ELSEWHERE
        assert await unit.accounts.get("nobody") is None
        assert await unit.accounts.by_subject("https://other.example 17") is None
        assert await unit.accounts.list() == [ELSEWHERE, OFFICER]


async def test_a_login_is_taken_once(store: SqlStore) -> None:
    await with_sessions(store)
    async with store.writing() as unit:
        assert not await unit.accounts.add(replace(OFFICER, name="Another"))
    async with store.reading() as unit:
        assert (await unit.accounts.get("m.huber")) == OFFICER


async def test_a_change_replaces_what_was_stored(store: SqlStore) -> None:
    await with_sessions(store)
    changed = replace(OFFICER, roles=("approver", "auditor"), language="bg", failures=3, locked_until=NOW)
    async with store.writing() as unit:
        await unit.accounts.change(changed)
    async with store.reading() as unit:
        assert await unit.accounts.get("m.huber") == changed
        assert await unit.accounts.get("a.kos") == ELSEWHERE


async def test_of_two_who_change_an_account_neither_loses_what_the_other_did(store: SqlStore) -> None:
    # given somebody who closes an account, and somebody who chose a language just before
    await with_sessions(store)
    has_read = asyncio.Event()

    async def close() -> None:
        async with store.writing() as unit:
            account = await unit.accounts.get("m.huber", to_change=True)
            has_read.set()
            assert account is not None
            await unit.accounts.change(replace(account, disabled_at=NOW))

    async with store.writing() as unit:
        account = await unit.accounts.get("m.huber", to_change=True)
        closing = asyncio.create_task(close())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(has_read.wait(), 0.3)
        assert account is not None
        await unit.accounts.change(replace(account, language="bg"))
    await closing
    async with store.reading() as unit:
        assert await unit.accounts.get("m.huber") == replace(OFFICER, language="bg", disabled_at=NOW)


async def test_a_session_is_seen_forwards_only_and_locked_at_will(store: SqlStore) -> None:
    await with_sessions(store, session(1))
    later = NOW + timedelta(minutes=5)
    for at, expected in ((later, later), (NOW, later)):
        async with store.writing() as unit:
            await unit.accounts.see_session(bytes([1]) * 32, at)
        async with store.reading() as unit:
            found = await unit.accounts.session(bytes([1]) * 32)
        assert found is not None
        assert found.seen_at == expected
    async with store.writing() as unit:
        await unit.accounts.lock_session(bytes([1]) * 32, NOW - timedelta(hours=1))
    async with store.reading() as unit:
        found = await unit.accounts.session(bytes([1]) * 32)
    assert found == replace(session(1), seen_at=NOW - timedelta(hours=1))


async def test_one_session_ends_or_all_of_an_account(store: SqlStore) -> None:
    await with_sessions(store, session(1), session(2, minutes=1), session(3, login="a.kos"), session(4, minutes=2))
    async with store.writing() as unit:
        assert await unit.accounts.end_sessions("m.huber", NOW, digest=bytes([2]) * 32) == 1
        assert await unit.accounts.end_sessions("a.kos", NOW, digest=bytes([1]) * 32) == 0
    async with store.reading() as unit:
        open_now = await unit.accounts.open_sessions("m.huber", since=NOW)
        assert [one.digest[0] for one in open_now] == [4, 1]
        assert [
            one.digest[0] for one in await unit.accounts.open_sessions("m.huber", since=NOW + timedelta(minutes=2))
        ] == [4]
    async with store.writing() as unit:
        assert await unit.accounts.end_sessions("m.huber", NOW) == 2
    async with store.reading() as unit:
        assert await unit.accounts.open_sessions("m.huber", since=NOW) == []
        assert len(await unit.accounts.open_sessions("a.kos", since=NOW)) == 1


async def test_sessions_that_nobody_uses_are_forgotten(store: SqlStore) -> None:
    await with_sessions(store, session(1), session(2, minutes=10))
    async with store.writing() as unit:
        assert await unit.accounts.forget_sessions(before=NOW + timedelta(minutes=10)) == 1
    async with store.reading() as unit:
        assert await unit.accounts.session(bytes([1]) * 32) is None
        assert await unit.accounts.session(bytes([2]) * 32) is not None


def test_no_secret_is_in_a_records_words() -> None:
    assert "'h'" not in repr(OFFICER)
    assert "x01" not in repr(session(1))
