"""A contact point with its keys in files: signs and opens; the private keys do not leave this module's objects."""

from __future__ import annotations

from pathlib import Path

from bridge.adapters.jose.key_files import PrivateKeys, load_keys
from bridge.adapters.jose.sealing import FileOpeningKeys
from bridge.adapters.jose.signatures import ALGORITHM, sign


class FileSigner:
    """Signs as one contact point with the key in use."""

    def __init__(self, keys: PrivateKeys) -> None:
        self.kid = keys.signing_kid
        self.alg = ALGORITHM
        self._key = keys.signing_key

    def sign(self, signing_input: bytes) -> bytes:
        """The 64 signature bytes."""
        return sign(self._key, signing_input)


class FileDesk:
    """One hosted contact point."""

    def __init__(self, keys: PrivateKeys) -> None:
        self.id = keys.contact_point
        self.signer = FileSigner(keys)
        self.opening_keys = FileOpeningKeys(keys.opening_keys)


def load_desk(folder: Path, contact_point: str, *, machine_secret: bytes) -> tuple[FileDesk, bytes]:
    """The desk whose keys are in the folder, and its storage key for bodies at rest."""
    keys = load_keys(folder, contact_point, machine_secret=machine_secret)
    return FileDesk(keys), keys.storage_key
