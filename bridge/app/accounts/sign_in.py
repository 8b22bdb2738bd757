"""Signing in, and the session that begins with it.

Rules:
1. Whoever does not get in learns nothing: unknown, disabled, locked and wrong sound alike and take the same time.
2. Five wrong passwords in a row lock an account for a minute, each further one for twice as long, up to an hour. None
   is counted where there is none to be guessed.
3. A session's token is 256 random bits; only its digest is stored. It is locked after `idle` without use, and after
   twelve hours whatever happens. Whoever signs in again gets another one, and the one before ends.
4. Another password, other roles or a closed account end every session of the account.
5. Every success and every failure is in the audit log. Where passwords are for emergencies only, so is a warning.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import structlog

from bridge.app.accounts.passwords import Passwords, check_password
from bridge.app.accounts.roles import Permission, Role, allows
from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.accounts import AccountRecord, SessionRecord
from bridge.ports.store.records import AuditEntry

LONGEST_SESSION: Final = timedelta(hours=12)
MOST_FAILURES: Final = 5
FIRST_LOCK: Final = timedelta(minutes=1)
LONGEST_LOCK: Final = timedelta(hours=1)
SEEN_EVERY: Final = timedelta(seconds=10)  # not every request writes
BROKE_GLASS_ENTRY: Final = "account.broke_glass"
HERE: Final = "password"
ELSEWHERE: Final = "identity provider"
_MOST_DOUBLINGS: Final = 6

_log = structlog.get_logger()


class LocalAccounts(StrEnum):
    """Who may sign in with a password."""

    ALL = "all"
    BREAK_GLASS = "break_glass"
    NONE = "none"


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
    """A session in use: the person, the digest of the token, how it began, and whether it has to be unlocked."""

    person: Person
    digest: bytes
    is_locked: bool
    by: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """Signs people in and out.

    Attributes:
        idle: after which an unused session is locked.
        local: whether passwords are the rule, for emergencies, or refused.
    """

    store: Store
    passwords: Passwords
    clock: Clock
    idle: timedelta
    local: LocalAccounts = LocalAccounts.ALL

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
        newer = None
        if is_right and known is not None and self.passwords.is_outdated(known):
            newer = await asyncio.to_thread(self.passwords.hash, password)
        async with self.store.writing() as unit:
            account = await unit.accounts.get(login, to_change=True)
            token = None
            if account is None or account.password_hash is None or self.local is LocalAccounts.NONE:
                await _note_refusal(unit, login, account, now)
            elif account.password_hash != known or not is_right or not is_open(account, now):
                await _note_failure(unit, account, now)
            else:
                hashed = newer or account.password_hash
                await unit.accounts.change(replace(account, password_hash=hashed, failures=0, locked_until=None))
                token = await begin_session(unit, account, now, by=HERE)
                if self.local is LocalAccounts.BREAK_GLASS:
                    await unit.audit.add([AuditEntry(now, login, BROKE_GLASS_ENTRY, account.contact_point, login)])
        if token is None:
            raise RefusedError("E_SIGN_IN", "login and password do not go together, or the account is closed for now")
        if self.local is LocalAccounts.BREAK_GLASS:
            _log.warning(BROKE_GLASS_ENTRY, login=login)
        return token

    async def session(self, token: str, *, is_use: bool = True) -> SignedIn | None:
        """Who uses a token; `None` where it is nobody's any more.

        What a page asks for on its own (`is_use` false) keeps no session awake.
        """
        digest, now = digest_of(token), self.clock.now()
        async with self.store.reading() as unit:
            session = await unit.accounts.session(digest)
            account = await unit.accounts.get(session.login) if session is not None else None
        if session is None or account is None or session.ended_at is not None or account.disabled_at is not None:
            return None
        is_over = not session.began_at <= now < session.began_at + LONGEST_SESSION
        is_locked = is_over or now >= session.seen_at + self.idle
        if is_use and not is_locked and now >= session.seen_at + SEEN_EVERY:
            async with self.store.writing() as unit:
                await unit.accounts.see_session(digest, now)
        return SignedIn(person_of(account), digest, is_locked, session.detail.get("by", HERE))

    async def lock(self, signed_in: SignedIn) -> None:
        """Locks a session now; who it belongs to signs in again."""
        async with self.store.writing() as unit:
            await unit.accounts.lock_session(signed_in.digest, self.clock.now() - self.idle)

    async def sign_out(self, signed_in: SignedIn, *, everywhere: bool = False) -> None:
        """Ends a session, or all of its person."""
        now, login = self.clock.now(), signed_in.person.login
        async with self.store.writing() as unit:
            await unit.accounts.end_sessions(login, now, digest=None if everywhere else signed_in.digest)
            await unit.audit.add([AuditEntry(now, login, "session.ended", signed_in.person.contact_point, login)])

    async def change_password(self, person: Person, old: str, new: str) -> str:
        """Another password for oneself; every session ends, and a new one begins, whose token it answers.

        Raises:
            BadInputError: `E_ACCOUNT`, the new one is too short or too long.
            RefusedError: `E_SIGN_IN`, the old one is not the password.
        """
        check_password(new)
        if old == new:
            raise BadInputError("E_ACCOUNT", "password: expected another one than before", path="password")
        login, now = person.login, self.clock.now()
        async with self.store.reading() as unit:
            account = await unit.accounts.get(login)
        known = account.password_hash if account is not None else None
        is_right = await asyncio.to_thread(self.passwords.verify, known, old)
        hashed = await asyncio.to_thread(self.passwords.hash, new)
        token = None
        async with self.store.writing() as unit:
            account = await unit.accounts.get(login, to_change=True)
            if account is None or account.password_hash is None:
                await _note_refusal(unit, login, account, now)
            elif account.password_hash != known or not is_right or not is_open(account, now):
                await _note_failure(unit, account, now)
            else:
                account = replace(account, password_hash=hashed, failures=0, locked_until=None)
                await unit.accounts.change(account)
                await unit.accounts.end_sessions(login, now)
                detail = {"what": "password"}
                await unit.audit.add([AuditEntry(now, login, "account.changed", account.contact_point, login, detail)])
                token = await begin_session(unit, account, now, by=HERE)
        if token is None:
            raise RefusedError("E_SIGN_IN", "password: expected the one that is in use now", path="old_password")
        return token

    async def choose_language(self, login: str, language: str) -> None:
        """The language in which a person reads from now on."""
        async with self.store.writing() as unit:
            account = await unit.accounts.get(login, to_change=True)
            if account is not None:
                await unit.accounts.change(replace(account, language=language))


def digest_of(token: str) -> bytes:
    """By what a token is stored."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def person_of(account: AccountRecord) -> Person:
    """The person that an account stands for; a role of a newer program is passed over."""
    roles = tuple(Role(role) for role in account.roles if role in set(Role))
    return Person(account.login, account.name, roles, account.contact_point, account.language)


def is_open(account: AccountRecord, now: datetime) -> bool:
    """Whether it is neither disabled nor locked after wrong passwords."""
    return account.disabled_at is None and (account.locked_until is None or account.locked_until <= now)


async def begin_session(unit: UnitOfWork, account: AccountRecord, now: datetime, *, by: str) -> str:
    """Begins a session in the caller's transaction; answers its token. Sessions that are long over are forgotten."""
    token = secrets.token_urlsafe(32)
    await unit.accounts.forget_sessions(before=now - 2 * LONGEST_SESSION)
    began = SessionRecord(digest_of(token), account.login, began_at=now, seen_at=now, detail={"by": by})
    await unit.accounts.begin_session(began)
    entry = AuditEntry(now, account.login, "session.began", account.contact_point, account.login, {"by": by})
    await unit.audit.add([entry])
    return token


async def _note_refusal(unit: UnitOfWork, login: str, account: AccountRecord | None, now: datetime) -> None:
    if account is not None:  # else whatever was typed there may be a password
        await unit.audit.add([AuditEntry(now, login, "session.refused", account.contact_point, login)])


async def _note_failure(unit: UnitOfWork, account: AccountRecord, now: datetime) -> None:
    """Counts a wrong password; only where there is one to be guessed, or a stranger would close accounts."""
    if is_open(account, now):
        failures = account.failures + 1
        doublings = min(failures - MOST_FAILURES, _MOST_DOUBLINGS)
        lock = min(FIRST_LOCK * 2**doublings, LONGEST_LOCK) if doublings >= 0 else None
        locked_until = now + lock if lock is not None else None
        await unit.accounts.change(replace(account, failures=failures, locked_until=locked_until))
    await _note_refusal(unit, account.login, account, now)
