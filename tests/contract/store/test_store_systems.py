"""What the store promises of national systems' tokens and submissions, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bridge.adapters.store import SqlStore
from bridge.ports.store.systems import SubmissionRecord, TokenRecord

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)
TOKEN = TokenRecord(b"d" * 32, "cases", "at.ncp", ("alerts:submit", "inbox:read"), "admin", NOW, NOW + timedelta(90))
SUBMISSION = SubmissionRecord("cases", "key-1", b"r" * 32, "0193", '{"id": "0193"}', NOW)


async def test_a_token_is_found_by_its_digest_and_revoked_once(store: SqlStore) -> None:
    async with store.writing() as unit:
        assert await unit.systems.add_token(TOKEN)
        assert not await unit.systems.add_token(replace(TOKEN, digest=b"e" * 32))
    async with store.reading() as unit:
        assert await unit.systems.token(TOKEN.digest) == TOKEN
        assert await unit.systems.token(b"e" * 32) is None
        assert await unit.systems.tokens() == [TOKEN]
    async with store.writing() as unit:
        await unit.systems.see_token("cases", NOW)
        assert await unit.systems.revoke_token("cases", NOW)
        assert not await unit.systems.revoke_token("cases", NOW)
        assert not await unit.systems.revoke_token("nobody", NOW)
    async with store.reading() as unit:
        assert await unit.systems.token(TOKEN.digest) == replace(TOKEN, revoked_at=NOW, used_at=NOW)


async def test_a_key_is_a_systems_own(store: SqlStore) -> None:
    async with store.writing() as unit:
        assert await unit.systems.begin_submission("cases", "key-1") is None
        await unit.systems.note_submission(SUBMISSION)
        await unit.systems.note_submission(replace(SUBMISSION, token="other"))
    async with store.reading() as unit:
        assert await unit.systems.submission("cases", "key-1") == SUBMISSION
        assert await unit.systems.submission("cases", "key-2") is None
    async with store.writing() as unit:
        assert await unit.systems.forget_submissions(before=NOW) == 0
        assert await unit.systems.forget_submissions(before=NOW + timedelta(microseconds=1)) == 2


async def test_of_two_at_once_the_later_waits_and_finds_what_the_first_submitted(store: SqlStore) -> None:
    held = asyncio.Event()

    async def first() -> None:
        async with store.writing() as unit:
            assert await unit.systems.begin_submission("cases", "key-1") is None
            held.set()
            await asyncio.sleep(0.2)  # the other one has begun by then, and waits
            await unit.systems.note_submission(SUBMISSION)

    async def second() -> SubmissionRecord | None:
        await held.wait()
        async with store.writing() as unit:
            return await unit.systems.begin_submission("cases", "key-1")

    assert await asyncio.gather(first(), second()) == [None, SUBMISSION]
