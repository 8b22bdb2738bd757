"""What verification needs from cryptography. No private key crosses these Protocols."""

from __future__ import annotations

from typing import Protocol

from bridge.core.directory import PublicKey
from bridge.core.wire.sealed import SealedBody, SealedEntry


class SignatureCheck(Protocol):
    """Checks one signature."""

    def __call__(self, key: PublicKey, *, signing_input: bytes, signature_bytes: bytes) -> bool:
        """Whether the signature is the key's over the input; any malformed signature is `False`."""
        ...


class OpeningError(Exception):
    """The entry does not open: a wrong key, or a changed ciphertext, tag, header or `aad`."""


class OpeningKeys(Protocol):
    """The opening keys of one contact point."""

    def holds(self, kid: str) -> bool:
        """Whether the private key of this id is here."""
        ...

    def open(self, body: SealedBody, entry: SealedEntry) -> bytes:
        """The plaintext; raises `OpeningError`."""
        ...
