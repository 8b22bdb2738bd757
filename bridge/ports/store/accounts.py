"""Accounts of people at a node, and their sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """A person who may sign in.

    Attributes:
        roles: names of `bridge.app.accounts.roles.Role`.
        contact_point: whose messages they see; `None` for who sees none.
        password_hash: of argon2; `None` where they sign in by OpenID Connect, as `subject` (issuer, blank, subject).
        failures: wrong passwords since the last right one.
    """

    login: str
    name: str
    roles: tuple[str, ...]
    contact_point: str | None
    created_at: datetime
    password_hash: str | None = field(default=None, repr=False)
    subject: str | None = None
    language: str | None = None
    disabled_at: datetime | None = None
    failures: int = 0
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session of the console, known by the SHA-256 of its token. `detail` has what sign-in left to remember."""

    digest: bytes = field(repr=False)
    login: str
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None = None
    detail: Mapping[str, str] = field(default_factory=dict)


class Accounts(Protocol):
    """Who may sign in, and who has."""

    async def add(self, account: AccountRecord) -> bool:
        """Stores a new account; answers whether the login was free."""
        ...

    async def get(self, login: str, *, to_change: bool = False) -> AccountRecord | None:
        """An account by its login; `to_change`: nobody else changes it before this transaction ends."""
        ...

    async def by_subject(self, subject: str, *, to_change: bool = False) -> AccountRecord | None:
        """An account by whom an identity provider says it is; `to_change` as for `get`."""
        ...

    async def list(self) -> Sequence[AccountRecord]:
        """All accounts, by login."""
        ...

    async def change(self, account: AccountRecord) -> None:
        """Replaces all that is stored of an account, which was read `to_change`."""
        ...

    async def begin_session(self, session: SessionRecord) -> None:
        """Stores a session."""
        ...

    async def session(self, digest: bytes) -> SessionRecord | None:
        """A session by the digest of its token, ended or not."""
        ...

    async def open_sessions(self, login: str, *, since: datetime) -> Sequence[SessionRecord]:
        """The sessions of an account that began since then and were not ended, newest first."""
        ...

    async def see_session(self, digest: bytes, at: datetime) -> None:
        """Somebody uses it."""
        ...

    async def lock_session(self, digest: bytes, unused_since: datetime) -> None:
        """Takes it that nobody has used it since."""
        ...

    async def end_sessions(self, login: str, at: datetime, *, digest: bytes | None = None) -> int:
        """Ends one session of an account, or all; answers how many."""
        ...

    async def forget_sessions(self, *, before: datetime) -> int:
        """Removes sessions that nobody has used since; answers how many."""
        ...
