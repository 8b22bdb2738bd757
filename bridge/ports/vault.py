"""Private keys and bodies at rest. No private key ever leaves the adapter behind these Protocols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BodyAtRest:
    """A body under its own data key; destroying `wrapped_key` erases it."""

    wrapped_key: bytes
    ciphertext: bytes


class BodyVault(Protocol):
    """Seals bodies for storage. `context` (contact point and message id) is authenticated, not stored."""

    def put(self, contact_point: str, body_bytes: bytes, *, context: str) -> BodyAtRest:
        """Encrypts under a fresh data key, itself wrapped with the contact point's storage key."""
        ...

    def get(self, contact_point: str, body: BodyAtRest, *, context: str) -> bytes:
        """The body; raises `UnavailableError` when the storage key does not open it."""
        ...
