"""Making and changing accounts, by an administrator at the console or the command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from bridge.app.accounts.passwords import Passwords, check_password
from bridge.app.accounts.roles import Permission, Role, allows
from bridge.app.accounts.sign_in import LONGEST_SESSION
from bridge.core.errors import BadInputError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.accounts import AccountRecord, SessionRecord
from bridge.ports.store.records import AuditEntry

LONGEST_NAME: Final = 100
LONGEST_LOGIN: Final = 64
RESERVED: Final = "new"
"""No login: its address in the console is that of the form for a new account."""
_LOGIN: Final = re.compile(rf"[a-z0-9][a-z0-9._-]{{0,{LONGEST_LOGIN - 1}}}")


@dataclass(frozen=True, slots=True)
class ManageAccounts:
    """The accounts of one node. Every change is in the audit log."""

    store: Store
    passwords: Passwords
    clock: Clock
    hosted: Sequence[str]

    async def add(
        self,
        login: str,
        *,
        name: str,
        roles: Sequence[str],
        by: str,
        contact_point: str | None = None,
        password: str | None = None,
        subject: str | None = None,
    ) -> AccountRecord:
        """A new account that signs in with a password, or as the subject of an identity provider.

        Raises:
            BadInputError: `E_ACCOUNT`, naming the field.
        """
        now = self.clock.now()
        known = self._check(login, name, roles, contact_point)
        if password is not None:
            check_password(password)
        hashed = self.passwords.hash(password) if password is not None else None
        account = AccountRecord(login, name.strip(), known, contact_point, now, hashed, subject)
        async with self.store.writing() as unit:
            if login == RESERVED or not await unit.accounts.add(account):
                raise BadInputError("E_ACCOUNT", f"login: {login} is taken", path="login")
            await unit.audit.add([self._entry(account, by, "account.added")])
        return account

    async def change(
        self,
        login: str,
        *,
        by: str,
        roles: Sequence[str] | None = None,
        contact_point: str | None = None,
        password: str | None = None,
    ) -> AccountRecord:
        """Other roles and whose messages they read, or another password; ends every session of the account.

        Raises:
            BadInputError: `E_ACCOUNT`.
        """
        if password is not None:
            check_password(password)
        hashed = self.passwords.hash(password) if password is not None else None
        async with self.store.writing() as unit:
            account = await _known(unit, login, to_change=True)
            if roles is not None:
                known = self._check(login, account.name, roles, contact_point)
                account = replace(account, roles=known, contact_point=contact_point)
            if hashed is not None:
                account = replace(account, password_hash=hashed, failures=0, locked_until=None)
            await unit.accounts.change(account)
            await unit.accounts.end_sessions(login, self.clock.now())
            await unit.audit.add([self._entry(account, by, "account.changed")])
        return account

    async def disable(self, login: str, *, by: str) -> AccountRecord:
        """Closes an account and ends its sessions; it stays, what it did is in the log.

        Raises:
            BadInputError: `E_ACCOUNT`.
        """
        now = self.clock.now()
        async with self.store.writing() as unit:
            account = replace(await _known(unit, login, to_change=True), disabled_at=now)
            await unit.accounts.change(account)
            await unit.accounts.end_sessions(login, now)
            await unit.audit.add([self._entry(account, by, "account.disabled")])
        return account

    async def enable(self, login: str, *, by: str) -> AccountRecord:
        """Opens an account again that was closed, or locked after wrong passwords.

        Raises:
            BadInputError: `E_ACCOUNT`.
        """
        async with self.store.writing() as unit:
            account = replace(
                await _known(unit, login, to_change=True), disabled_at=None, failures=0, locked_until=None
            )
            await unit.accounts.change(account)
            await unit.audit.add([self._entry(account, by, "account.enabled")])
        return account

    async def end_sessions(self, login: str, *, by: str) -> int:
        """Signs an account out wherever it is signed in; answers how many sessions that were.

        Raises:
            BadInputError: `E_ACCOUNT`.
        """
        async with self.store.writing() as unit:
            account = await _known(unit, login)
            ended = await unit.accounts.end_sessions(login, self.clock.now())
            await unit.audit.add([self._entry(account, by, "session.ended")])
        return ended

    async def sessions(self, login: str) -> Sequence[SessionRecord]:
        """Where an account is signed in now, newest first; locked ones are among them."""
        async with self.store.reading() as unit:
            return await unit.accounts.open_sessions(login, since=self.clock.now() - LONGEST_SESSION)

    async def all(self) -> Sequence[AccountRecord]:
        """Every account, by login."""
        async with self.store.reading() as unit:
            return await unit.accounts.list()

    async def get(self, login: str) -> AccountRecord:
        """One account.

        Raises:
            BadInputError: `E_ACCOUNT`.
        """
        async with self.store.reading() as unit:
            return await _known(unit, login)

    def _check(self, login: str, name: str, roles: Sequence[str], contact_point: str | None) -> tuple[str, ...]:
        if not _LOGIN.fullmatch(login):
            raise BadInputError(
                "E_ACCOUNT", "login: expected small letters, digits, . _ and -, at most 64", path="login"
            )
        if not 1 <= len(name.strip()) <= LONGEST_NAME:
            raise BadInputError("E_ACCOUNT", f"name: expected 1 to {LONGEST_NAME} characters", path="name")
        unknown = sorted(set(roles) - set(Role))
        if unknown or not roles:
            found = ", ".join(unknown) or "none"
            raise BadInputError("E_ACCOUNT", f"roles: found {found}, expected {', '.join(Role)}", path="roles")
        known = [Role(role) for role in roles]
        if contact_point is not None and contact_point not in self.hosted:
            expected = " or ".join(self.hosted)
            raise BadInputError(
                "E_ACCOUNT", f"contact_point: found {contact_point}, expected {expected}", path="contact_point"
            )
        if contact_point is None and allows(known, Permission.READ_MESSAGES):
            expected = f"whose messages this account reads, {' or '.join(self.hosted)}"
            raise BadInputError("E_ACCOUNT", f"contact_point: found none, expected {expected}", path="contact_point")
        return tuple(sorted(set(known)))

    def _entry(self, account: AccountRecord, by: str, action: str) -> AuditEntry:
        detail = {"roles": ",".join(account.roles)}
        return AuditEntry(self.clock.now(), by, action, account.contact_point, account.login, detail)


async def _known(unit: UnitOfWork, login: str, *, to_change: bool = False) -> AccountRecord:
    account = await unit.accounts.get(login, to_change=to_change)
    if account is None:
        raise BadInputError("E_ACCOUNT", f"login: there is no account {login}", path="login")
    return account
