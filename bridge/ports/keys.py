"""Private-key operations of one contact point. The keys themselves stay behind these Protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bridge.core.directory import PublicKey
from bridge.core.verification import OpeningKeys
from bridge.core.wire.sealed import SealedBody


class Signer(Protocol):
    """Signs for one contact point."""

    @property
    def kid(self) -> str:
        """The key id that goes into the protected header."""
        ...

    @property
    def alg(self) -> str:
        """The key's one algorithm."""
        ...

    def sign(self, signing_input: bytes) -> bytes:
        """The signature bytes, in JOSE form."""
        ...


class Seal(Protocol):
    """Seals a plaintext to public keys; needs no private key."""

    def __call__(self, plaintext_bytes: bytes, *, recipients: Sequence[PublicKey], aad: str) -> SealedBody:
        """The body sealed to every key and bound to `aad`."""
        ...


class Desk(Protocol):
    """One contact point hosted by this node, with what it can do."""

    @property
    def id(self) -> str:
        """The contact point's id."""
        ...

    @property
    def signer(self) -> Signer:
        """Signs as this contact point."""
        ...

    @property
    def opening_keys(self) -> OpeningKeys:
        """Opens what was sealed to this contact point."""
        ...
