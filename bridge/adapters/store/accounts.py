"""Accounts and their sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, Select, delete, insert, select, update

from bridge.adapters.store.desk_tables import account, web_session
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.accounts import AccountRecord, SessionRecord

_SESSION: Final = ("digest", "login", "began_at", "seen_at", "ended_at", "detail")


class SqlAccounts:
    """Implements `bridge.ports.store.accounts.Accounts`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, added: AccountRecord) -> bool:
        """Stores a new account; answers whether the login was free."""
        statement = self._transaction.insert(account).values(_values(added))
        return await self._transaction.change(statement.on_conflict_do_nothing(index_elements=[account.c.login])) == 1

    async def get(self, login: str, *, to_change: bool = False) -> AccountRecord | None:
        """An account by its login; `to_change`: nobody else changes it before this transaction ends."""
        return await self._one(select(account).where(account.c.login == login), to_change=to_change)

    async def by_subject(self, subject: str, *, to_change: bool = False) -> AccountRecord | None:
        """An account by whom an identity provider says it is; `to_change` as for `get`."""
        return await self._one(select(account).where(account.c.subject == subject), to_change=to_change)

    async def list(self) -> Sequence[AccountRecord]:
        """All accounts, by login."""
        return [_account(row) for row in await self._transaction.rows(select(account).order_by(account.c.login))]

    async def change(self, changed: AccountRecord) -> None:
        """Replaces all that is stored of an account, which was read `to_change`."""
        await self._transaction.change(update(account).where(account.c.login == changed.login).values(_values(changed)))

    async def begin_session(self, session: SessionRecord) -> None:
        """Stores a session."""
        values = {name: getattr(session, name) for name in _SESSION} | {"detail": dict(session.detail)}
        await self._transaction.change_each(insert(web_session), [values])

    async def session(self, digest: bytes) -> SessionRecord | None:
        """A session by the digest of its token, ended or not."""
        rows = await self._transaction.rows(select(web_session).where(web_session.c.digest == digest))
        return _session(rows[0]) if rows else None

    async def open_sessions(self, login: str, *, since: datetime) -> Sequence[SessionRecord]:
        """The sessions of an account that began since then and were not ended, newest first."""
        open_now = select(web_session).where(web_session.c.login == login, web_session.c.ended_at.is_(None))
        began = open_now.where(web_session.c.seen_at >= since, web_session.c.began_at >= since)  # an index has seen_at
        return [_session(row) for row in await self._transaction.rows(began.order_by(web_session.c.began_at.desc()))]

    async def see_session(self, digest: bytes, at: datetime) -> None:
        """Somebody uses it."""
        await self._transaction.change(
            update(web_session).where(web_session.c.digest == digest, web_session.c.seen_at < at).values(seen_at=at)
        )

    async def lock_session(self, digest: bytes, unused_since: datetime) -> None:
        """Takes it that nobody has used it since."""
        await self._transaction.change(
            update(web_session).where(web_session.c.digest == digest).values(seen_at=unused_since)
        )

    async def end_sessions(self, login: str, at: datetime, *, digest: bytes | None = None) -> int:
        """Ends one session of an account, or all; answers how many."""
        ended = update(web_session).where(web_session.c.login == login, web_session.c.ended_at.is_(None))
        if digest is not None:
            ended = ended.where(web_session.c.digest == digest)
        return await self._transaction.change(ended.values(ended_at=at))

    async def forget_sessions(self, *, before: datetime) -> int:
        """Removes sessions that nobody has used since; answers how many."""
        return await self._transaction.change(delete(web_session).where(web_session.c.seen_at < before))

    async def _one(self, found: Select[Any], *, to_change: bool) -> AccountRecord | None:
        rows = await self._transaction.rows(found.with_for_update() if to_change else found)  # SQLite has one writer
        return _account(rows[0]) if rows else None


def _values(record: AccountRecord) -> dict[str, object]:
    return asdict(record) | {"roles": list(record.roles)}


def _account(row: RowMapping) -> AccountRecord:
    return AccountRecord(**{**row, "roles": tuple(row["roles"])})


def _session(row: RowMapping) -> SessionRecord:
    return SessionRecord(**{name: row[name] for name in _SESSION})
