"""Tokens of national systems: made by an administrator, shown once, for one contact point and some scopes only."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import AuditEntry
from bridge.ports.store.systems import TokenRecord

PREFIX: Final = "ncpb_"
SECRET_BYTES: Final = 32
LONGEST: Final = 128
SEEN_EVERY: Final = timedelta(minutes=1)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Scope(StrEnum):
    """What a token may be used for."""

    CHECK = "alerts:check"
    SUBMIT = "alerts:submit"
    MESSAGES = "messages:read"
    INBOX = "inbox:read"
    ACKNOWLEDGE = "inbox:acknowledge"
    WEBHOOKS = "webhooks:manage"


@dataclass(frozen=True, slots=True)
class System:
    """Who asks: a national system that showed its token."""

    name: str
    contact_point: str
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class ManageTokens:
    """Tokens for the contact points of one node."""

    store: Store
    clock: Clock
    hosted: Sequence[str]

    async def add(
        self, name: str, *, contact_point: str, scopes: Sequence[str], by: str, lifetime: timedelta | None = None
    ) -> tuple[str, TokenRecord]:
        """Makes a token, and answers it this once.

        Raises:
            BadInputError: `E_TOKEN_NAME`, `E_CONTACT_POINT`, `E_SCOPE`.
        """
        if _NAME.fullmatch(name) is None:
            sentence = f"name: found {name[:64]!r}, expected small letters, digits, . _ and -, at most 64"
            raise BadInputError("E_TOKEN_NAME", sentence, path="name")
        if contact_point not in self.hosted:
            sentence = f"--contact-point: {contact_point} is not hosted here; expected {' or '.join(self.hosted)}"
            raise BadInputError("E_CONTACT_POINT", sentence)
        strange = sorted(set(scopes) - set(Scope))
        if strange or not scopes:
            found = strange[0] if strange else "nothing"
            raise BadInputError("E_SCOPE", f"--scope: found {found}, expected {', '.join(Scope)}")
        token, now = PREFIX + secrets.token_urlsafe(SECRET_BYTES), self.clock.now()
        record = TokenRecord(
            digest=digest_of(token),
            name=name,
            contact_point=contact_point,
            scopes=tuple(sorted(set(scopes))),
            made_by=by,
            made_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
        async with self.store.writing() as unit:
            if not await unit.systems.add_token(record):
                sentence = f"name: {name} is or was another token's; tokens list shows them"
                raise BadInputError("E_TOKEN_NAME", sentence, path="name")
            detail = {"name": name, "scopes": " ".join(record.scopes)}
            await unit.audit.add([AuditEntry(now, by, "token.made", contact_point, None, detail)])
        return token, record

    async def list(self) -> Sequence[TokenRecord]:
        """All tokens, by name; none of them says what it is."""
        async with self.store.reading() as unit:
            return await unit.systems.tokens()

    async def revoke(self, name: str, *, by: str) -> None:
        """Ends a token at once.

        Raises:
            BadInputError: `E_TOKEN_NAME`, there is none of this name that is not revoked.
        """
        now = self.clock.now()
        async with self.store.writing() as unit:
            if not await unit.systems.revoke_token(name, now):
                raise BadInputError("E_TOKEN_NAME", f"name: there is no token {name[:64]!r} to revoke", path="name")
            await unit.audit.add([AuditEntry(now, by, "token.revoked", None, None, {"name": name})])

    async def system(self, token: str) -> System:
        """Whose token this is.

        It is looked up by its digest, so that how long that takes says nothing of it.

        Raises:
            RefusedError: `E_TOKEN`: unknown, revoked or expired; which of them is not said.
        """
        now, digest = self.clock.now(), digest_of(token)
        async with self.store.reading() as unit:
            found = await unit.systems.token(digest) if len(token) <= LONGEST else None
        if (
            found is None
            or found.revoked_at is not None
            or (found.expires_at is not None and now >= found.expires_at)
            or found.contact_point not in self.hosted
        ):
            raise RefusedError("E_TOKEN", "Authorization: expected Bearer and a token that is known and in force")
        if found.used_at is None or now - found.used_at >= SEEN_EVERY:
            async with self.store.writing() as unit:
                await unit.systems.see_token(found.name, now)
        return System(found.name, found.contact_point, frozenset(found.scopes))


def digest_of(token: str) -> bytes:
    """By what a token is known here. It has 256 random bits, so that one round of a hash is enough."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
