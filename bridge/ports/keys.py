"""Private-key operations of one contact point. The keys themselves stay behind these Protocols."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from bridge.core.directory import PublicKey
from bridge.core.verification import OpeningKeys
from bridge.core.wire.sealed import SealedBody


class KeyStore(Protocol):
    """One contact point's private keys, in files or on a token; they never leave it. All are P-256, named by key id.

    Raises `UnavailableError` where a key is not there or cannot be reached now: `E_KEY_FILE`, `E_TOKEN...`.
    """

    def kids(self) -> Collection[str]:
        """Every private key that is here now, signing and opening: what was added or destroyed meanwhile counts."""
        ...

    def point(self, kid: str) -> bytes:
        """The public point, 65 bytes, of a key that is here."""
        ...

    def sign(self, kid: str, signing_input: bytes) -> bytes:
        """The ES256 signature in JOSE form, 64 bytes."""
        ...

    def agree(self, kid: str, point: bytes) -> bytes:
        """The raw ECDH secret, 32 bytes, with a public point; raises `ValueError` when that is not on the curve."""
        ...

    def make(self, kid: str) -> bytes:
        """Makes a key and answers its public point; raises `FileExistsError` where there is one."""
        ...

    def destroy(self, kid: str) -> None:
        """Destroys a private key for good; nothing happens where there is none."""
        ...


class Signer(Protocol):
    """Signs for one contact point with one key."""

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
    """One contact point hosted by this node, with what it can do.

    Which of its keys signs is for `bridge.app.keys.choosing` to say.
    """

    @property
    def id(self) -> str:
        """The contact point's id."""
        ...

    @property
    def keys(self) -> KeyStore:
        """Its private keys."""
        ...

    def signer(self, kid: str) -> Signer | None:
        """Signs with this key; `None` when its private part is not here."""
        ...

    @property
    def opening_keys(self) -> OpeningKeys:
        """Opens what was sealed to this contact point."""
        ...
