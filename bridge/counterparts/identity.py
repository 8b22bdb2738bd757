"""The keys of one contact point: those it has, or some made for the occasion."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from bridge.adapters.jose.desk import KeyDesk
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.compose.offline import private_keys_of
from bridge.core.directory import PublicKey

USE = timedelta(days=90)
VERIFY = timedelta(days=121)


def desk_from(keys: Path, contact_point: str, *, machine_secret: Path | None = None) -> KeyDesk:
    """The contact point whose private keys are in a folder with key files, or in a file with a JWK set.

    Raises:
        UnavailableError: they cannot be read (`E_KEY_FILE`).
        BadInputError: the file is no JWK set (`E_KEY_FILE`).
    """
    return KeyDesk(contact_point, private_keys_of(keys, contact_point, machine_secret))


def made_desk(contact_point: str, *, at: datetime, name: str = "made") -> tuple[KeyDesk, tuple[PublicKey, PublicKey]]:
    """A contact point with new keys in memory, and their public halves: signing, sealing."""
    keys = PrivateKeys({})
    signing, sealing = f"{contact_point}#sig-{name}", f"{contact_point}#enc-{name}"
    listed = (
        PublicKey(signing, "ES256", keys.make(signing), at + USE, at + VERIFY),
        PublicKey(sealing, "ECDH-ES+A256KW", keys.make(sealing), at + USE, at + VERIFY),
    )
    return KeyDesk(contact_point, keys), listed
