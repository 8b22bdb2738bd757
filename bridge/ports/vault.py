"""Bodies at rest. The storage keys stay behind this Protocol."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BodyAtRest:
    """A body under its own data key; destroying `wrapped_key` erases it."""

    wrapped_key: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)


class BodyVault(Protocol):
    """Seals bodies for storage. `context` (whose copy of which sender's message) is authenticated, not stored."""

    def put(self, contact_point: str, body_bytes: bytes, *, context: str) -> BodyAtRest:
        """Encrypts under a fresh data key, itself wrapped with the contact point's storage key."""
        ...

    def get(self, contact_point: str, body: BodyAtRest, *, context: str) -> bytes:
        """The body; raises `UnavailableError` when the storage key does not open it."""
        ...

    def blind(self, contact_point: str, text: str) -> int:
        """A number that stands for a text in an index: the same each time, and known only with the storage key."""
        ...
