"""A contact point over its private keys: signs and opens; the keys do not leave their store."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bridge.adapters.jose.key_files import FileKeys, read_secret
from bridge.adapters.jose.sealing import StoredOpeningKeys
from bridge.adapters.jose.signatures import ALGORITHM
from bridge.core.ids import is_for_signing
from bridge.core.verification import OpeningKeys
from bridge.ports.keys import KeyStore


@dataclass(frozen=True, slots=True)
class StoredSigner:
    """Signs with one key of a store."""

    keys: KeyStore = field(repr=False)
    kid: str
    alg: str = ALGORITHM

    def sign(self, signing_input: bytes) -> bytes:
        """The 64 signature bytes."""
        return self.keys.sign(self.kid, signing_input)


@dataclass(frozen=True, slots=True)
class KeyDesk:
    """One hosted contact point."""

    id: str
    keys: KeyStore = field(repr=False)

    def signer(self, kid: str) -> StoredSigner | None:
        """Signs with this key; `None` when its private part is not here."""
        return StoredSigner(self.keys, kid) if is_for_signing(kid) and kid in self.keys.kids() else None

    @property
    def opening_keys(self) -> OpeningKeys:
        """Opens what was sealed to this contact point."""
        return StoredOpeningKeys(self.keys)


def load_desk(folder: Path, contact_point: str, *, machine_secret: bytes) -> tuple[KeyDesk, bytes]:
    """The desk whose keys are in the folder, and its storage key for bodies at rest.

    Raises:
        UnavailableError: a key does not open, or no signing key is there (`E_KEY_FILE`).
    """
    keys = FileKeys(folder, contact_point, machine_secret=machine_secret)
    keys.check()
    return KeyDesk(contact_point, keys), read_secret(folder / "storage.key")
