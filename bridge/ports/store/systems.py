"""National systems that use the HTTP interface: their tokens, and what they submitted under which key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A system's token, known by its SHA-256.

    Attributes:
        name: of the system, in logs.
        contact_point: for which it acts, and no other.
        scopes: names of `bridge.app.integrating.tokens.Scope`.
        expires_at: `None`: not by itself.
    """

    digest: bytes = field(repr=False)
    name: str
    contact_point: str
    scopes: tuple[str, ...]
    made_by: str
    made_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubmissionRecord:
    """What a system submitted under a key of its own, so that trying again sends nothing twice.

    `request_sha256` is of what it asked for, `answer` what it was told.
    """

    token: str
    key: str
    request_sha256: bytes
    message_id: str
    answer: str
    at: datetime


class Systems(Protocol):
    """Tokens and submissions."""

    async def add_token(self, token: TokenRecord) -> bool:
        """Stores a new token; answers whether its name was free."""
        ...

    async def token(self, digest: bytes) -> TokenRecord | None:
        """A token by its digest, whatever became of it."""
        ...

    async def tokens(self) -> Sequence[TokenRecord]:
        """All tokens, by name."""
        ...

    async def revoke_token(self, name: str, at: datetime) -> bool:
        """Revokes a token; answers whether there was one that was not."""
        ...

    async def see_token(self, name: str, at: datetime) -> None:
        """Notes when it was used."""
        ...

    async def submission(self, token: str, key: str) -> SubmissionRecord | None:
        """What was submitted under a key."""
        ...

    async def begin_submission(self, token: str, key: str) -> SubmissionRecord | None:
        """What was submitted under a key; nobody else submits under it before this transaction ends."""
        ...

    async def note_submission(self, submission: SubmissionRecord) -> None:
        """Stores a submission, which this transaction has begun."""
        ...

    async def forget_submissions(self, *, before: datetime) -> int:
        """Removes submissions made before a moment; answers how many."""
        ...
