"""Signing in with a login and a password, and the session that begins with it.

Rules:
1. Whoever does not get in learns nothing: unknown, disabled, locked and wrong sound alike and take the same time.
2. Five wrong passwords in a row lock an account for a minute, each further one for twice as long, up to an hour.
3. A session's token is 256 random bits; only its digest is stored. It is locked after `idle` without use and ends after
   twelve hours.
4. Every success and every failure is in the audit log.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.app.accounts.passwords import Passwords
from bridge.app.accounts.roles import Permission, Role, allows
from bridge.core.errors import RefusedError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.accounts import AccountRecord, SessionRecord
from bridge.ports.store.records import AuditEntry

LONGEST_SESSION: Final = timedelta(hours=12)
MOST_FAILURES: Final = 5
FIRST_LOCK: Final = timedelta(minutes=1)
LONGEST_LOCK: Final = timedelta(hours=1)
SEEN_EVERY: Final = timedelta(seconds=10)  # not every request writes
_MOST_DOUBLINGS: Final = 6


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in."""

    login: str
    name: str
    roles: tuple[Role, ...]
    contact_point: str | None
    language: str | None

    def may(self, permission: Permission) -> bool:
        """Whether one of their roles allows it."""
        return allows(self.roles, permission)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session in use: the person, the digest of the token, and whether it has to be unlocked by signing in again."""

    person: Person
    digest: bytes
    is_locked: bool


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signs people in and out."""

    store: Store
    passwords: Passwords
    clock: Clock
    idle: timedelta

    async def by_password(self, login: str, password: str) -> str:
        """Begins a session; answers its token.

        Raises:
            RefusedError: `E_SIGN_IN`.
        """
        now = self.clock.now()
        async with self.store.reading() as unit:
            account = await unit.accounts.get(login)
        known = account.password_hash if account is not None else None
        is_right = await asyncio.to_thread(self.passwords.verify, known, password)
        async with self.store.writing() as unit:
            account = await unit.accounts.get(login)
            if account is None or not is_right or not _is_open(account, now):
                await _note_failure(unit, login, account, now)
                token = None
            else:
                await unit.accounts.change(replace(account, failures=0, locked_until=None))
                token = await begin_session(unit, account, now)
        if token is None:
            raise RefusedError("E_SIGN_IN", "login and password do not go together, or the account is closed for now")
        return token

    async def session(self, token: str) -> SignedIn | None:
        """Who uses a token; `None` where it is nobody's any more."""
        digest, now = digest_of(token), self.clock.now()
        async with self.store.reading() as unit:
            session = await unit.accounts.session(digest)
            account = await unit.accounts.get(session.login) if session is not None else None
        if session is None or account is None or session.ended_at is not None or account.disabled_at is not None:
            return None
        if not session.began_at <= now < session.began_at + LONGEST_SESSION:
            return None
        is_locked = now >= session.seen_at + self.idle
        if not is_locked and now >= session.seen_at + SEEN_EVERY:
            async with self.store.writing() as unit:
                await unit.accounts.see_session(digest, now)
        return SignedIn(person_of(account), digest, is_locked)

    async def sign_out(self, signed_in: SignedIn) -> None:
        """Ends a session."""
        now, login = self.clock.now(), signed_in.person.login
        async with self.store.writing() as unit:
            await unit.accounts.end_sessions(login, now, digest=signed_in.digest)
            await unit.audit.add([AuditEntry(now, login, "session.ended", signed_in.person.contact_point, login)])


def digest_of(token: str) -> bytes:
    """By what a token is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def person_of(account: AccountRecord) -> Person:
    """The person that an account stands for; a role of a newer program is passed over."""
    roles = tuple(Role(role) for role in account.roles if role in set(Role))
    return Person(account.login, account.name, roles, account.contact_point, account.language)


async def begin_session(unit: UnitOfWork, account: AccountRecord, now: datetime) -> str:
    """Begins a session in the caller's transaction; answers its token."""
    token = secrets.token_urlsafe(32)
    await unit.accounts.begin_session(SessionRecord(digest_of(token), account.login, began_at=now, seen_at=now))
    await unit.audit.add([AuditEntry(now, account.login, "session.began", account.contact_point, account.login)])
    return token


def _is_open(account: AccountRecord, now: datetime) -> bool:
    return account.disabled_at is None and (account.locked_until is None or account.locked_until <= now)


async def _note_failure(unit: UnitOfWork, login: str, account: AccountRecord | None, now: datetime) -> None:
    if account is None:
        return  # whatever was typed there may be a password
    if _is_open(account, now):
        failures = account.failures + 1
        doublings = min(failures - MOST_FAILURES, _MOST_DOUBLINGS)
        lock = min(FIRST_LOCK * 2**doublings, LONGEST_LOCK) if doublings >= 0 else None
        locked_until = now + lock if lock is not None else None
        await unit.accounts.change(replace(account, failures=failures, locked_until=locked_until))
    await unit.audit.add([AuditEntry(now, login, "session.refused", account.contact_point, login)])
