"""Signing in at an identity provider: who comes back is an account here, with the roles that the provider gives.

Rules:
1. A person is `issuer subject`, for good: a name or an address of mail is nobody.
2. Roles come from one claim by the node's table. Who has none of them gets no account and no session; who has fewer
   than last time has fewer from now on, and every other session of theirs ends.
3. The first time makes the account. Its login is made from the subject's name and is nobody else's.
4. What was begun comes back once, within ten minutes, to the browser that began it.
"""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from bridge.app.accounts.manage import RESERVED
from bridge.app.accounts.roles import Permission, Role, allows
from bridge.app.accounts.sign_in import ELSEWHERE, begin_session, digest_of
from bridge.core.errors import RefusedError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.accounts import AccountRecord
from bridge.ports.store.records import AuditEntry

MOST_BEGUN: Final = 512
BEGUN_FOR: Final = timedelta(minutes=10)
LONGEST_NAME: Final = 100
LONGEST_SUBJECT: Final = 255  # OpenID Connect Core 1.0, 2
_NOT_IN_LOGIN: Final = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Begun:
    """What was sent to the provider, and has to come back: the state, and what the answer is checked against.

    Attributes:
        before: the token of the session that the browser had, which does not come back with it.
    """

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    wanted: str
    at: datetime
    before: str = field(default="", repr=False)


class IdentityProvider(Protocol):
    """Whoever signs people in elsewhere. Both raise `UnavailableError` `E_PROVIDER` when it does not answer."""

    @property
    def issuer(self) -> str:
        """Who it is."""
        ...

    async def address(self, begun: Begun) -> str:
        """Where to send the browser."""
        ...

    async def claims(self, begun: Begun, code: str, issuer: str | None) -> Mapping[str, object]:
        """What the provider says of who came back, verified; raises `RefusedError` `E_PROVIDER_ANSWER`."""
        ...

    async def leaving(self) -> str | None:
        """Where to sign out there too, if it says so."""
        ...


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """What the claims mean: one of the provider's groups -> a role, and whose messages a person reads."""

    roles_claim: str
    roles: Mapping[str, Role]
    contact_point_claim: str | None
    contact_point: str | None


@dataclass(frozen=True, slots=True)
class SignInElsewhere:
    """Signs people in whom the provider knows."""

    store: Store
    provider: IdentityProvider
    clock: Clock
    hosted: Sequence[str]
    rules: ClaimRules
    _begun: OrderedDict[bytes, Begun] = field(default_factory=OrderedDict)

    async def begin(self, wanted: str, before: str = "") -> tuple[str, str]:
        """Where to send the browser, and what it keeps until it comes back."""
        begun = Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(64),
            wanted=wanted,
            at=self.clock.now(),
            before=before,
        )
        address = await self.provider.address(begun)
        kept = secrets.token_urlsafe(32)
        self._begun[digest_of(kept)] = begun
        if len(self._begun) > MOST_BEGUN:
            self._begun.popitem(last=False)
        return address, kept

    async def finish(self, kept: str, *, state: str, code: str, issuer: str | None) -> tuple[str, str, Begun]:
        """Begins a session for who came back; answers its token, the login, and what was begun.

        Raises:
            RefusedError: `E_PROVIDER_ANSWER`, it is not the answer to what this browser began, or does not verify;
                `E_PROVIDER_ROLES`, the person has no role here, or the account is closed.
            UnavailableError: `E_PROVIDER`.
        """
        begun = self._begun.pop(digest_of(kept), None)
        is_late = begun is not None and begun.at + BEGUN_FOR <= self.clock.now()
        if (
            begun is None
            or is_late
            or not secrets.compare_digest(begun.state.encode(), state.encode("utf-8", "replace"))
        ):
            raise RefusedError(
                "E_PROVIDER_ANSWER", "the sign-in was not begun by this browser, or is over: begin again"
            )
        claims = await self.provider.claims(begun, code, issuer)
        subject = f"{self.provider.issuer} {claims['sub']}"
        if len(str(claims["sub"])) > LONGEST_SUBJECT:
            raise RefusedError("E_PROVIDER_ANSWER", f"sub: expected at most {LONGEST_SUBJECT} characters")
        roles, point = self._granted(claims)
        async with self.store.writing() as unit:
            account = await self._account(unit, subject, claims, roles, point)
            token = None
            if account is not None:
                token = await begin_session(unit, account, self.clock.now(), by=ELSEWHERE)
        if account is None or token is None:
            raise RefusedError("E_PROVIDER_ROLES", "the identity provider gives this person no role at this node")
        return token, account.login, begun

    def _granted(self, claims: Mapping[str, object]) -> tuple[tuple[str, ...], str | None]:
        given = claims.get(self.rules.roles_claim)
        groups = [given] if isinstance(given, str) else given if isinstance(given, list) else []
        roles = {self.rules.roles[group] for group in groups if isinstance(group, str) and group in self.rules.roles}
        point = self.rules.contact_point
        if self.rules.contact_point_claim is not None:
            said = claims.get(self.rules.contact_point_claim)
            point = said if isinstance(said, str) and said in self.hosted else None
        if point is None:  # who reads messages reads those of one contact point
            roles = {role for role in roles if not allows([role], Permission.READ_MESSAGES)}
        return tuple(sorted(roles)), point

    async def _account(
        self, unit: UnitOfWork, subject: str, claims: Mapping[str, object], roles: tuple[str, ...], point: str | None
    ) -> AccountRecord | None:
        now, account = self.clock.now(), await unit.accounts.by_subject(subject, to_change=True)
        if account is None:
            return await self._added(unit, subject, claims, roles, point) if roles else None
        if account.roles != roles or account.contact_point != point:
            account = replace(account, roles=roles, contact_point=point)
            await unit.accounts.change(account)
            await unit.accounts.end_sessions(account.login, now)
            detail = {"roles": ",".join(roles)}
            await unit.audit.add(
                [AuditEntry(now, self.provider.issuer, "account.changed", point, account.login, detail)]
            )
        if not roles or account.disabled_at is not None:  # wrong passwords are no reason: it has none
            await unit.audit.add([AuditEntry(now, account.login, "session.refused", point, account.login)])
            return None
        return account

    async def _added(
        self, unit: UnitOfWork, subject: str, claims: Mapping[str, object], roles: tuple[str, ...], point: str | None
    ) -> AccountRecord:
        now = self.clock.now()
        shown = claims.get("name") or claims.get("preferred_username") or claims["sub"]
        name = "".join(letter for letter in str(shown) if letter.isprintable()).strip()[:LONGEST_NAME]
        wished = _NOT_IN_LOGIN.sub("-", str(claims.get("preferred_username") or "person").lower()).strip("-._")[:40]
        wished = wished if wished not in {"", RESERVED} else "person"
        account = AccountRecord(wished, name or "person", roles, point, now, subject=subject)
        while not await unit.accounts.add(account):
            account = replace(account, login=f"{wished}-{secrets.token_hex(3)}")
        detail = {"roles": ",".join(roles)}
        await unit.audit.add([AuditEntry(now, self.provider.issuer, "account.added", point, account.login, detail)])
        return account
