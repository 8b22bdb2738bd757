"""A contact point's private keys as files, protected by the node's machine secret.

Rules:
1. Files are 0600 in a 0700 folder; a file that others can read is refused.
2. Every key file is PKCS#8, encrypted with the machine secret (256 random bits: the few PBKDF2 rounds that
   `BestAvailableEncryption` uses are no weakness under a secret of that size).
3. Secrets come from files, never from a command line.
4. The folder is looked at each time: a key that another process made or destroyed counts at once.

It does not protect against whoever has root on this host (docs/security.md says so).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from bridge.adapters.jose.private_keys import CODE, CURVE, PrivateKeys
from bridge.core.errors import UnavailableError
from bridge.core.ids import is_for_opening, is_for_signing, is_kid, name_of, owner_of
from bridge.private_files import read_private, write_private

SECRET_BYTES: Final = 32
_SUFFIX: Final = ".pem"


def make_secret(path: Path) -> None:
    """Writes a fresh 256-bit secret."""
    write_private(path, secrets.token_bytes(SECRET_BYTES))


def read_secret(path: Path) -> bytes:
    """The secret in a private file; `UnavailableError` when it is missing, too short or readable by others."""
    data = read_private(path)
    if len(data) < SECRET_BYTES:
        raise UnavailableError(CODE, f"{path} holds fewer than {SECRET_BYTES} bytes")
    return data


def make_key(folder: Path, kid: str, *, machine_secret: bytes) -> bytes:
    """Makes a P-256 key for `kid` in the folder; answers the public point, 65 bytes."""
    return FileKeys(folder, owner_of(kid), machine_secret=machine_secret).make(kid)


class FileKeys(PrivateKeys):
    """Implements `bridge.ports.keys.KeyStore`: `<folder>/sig-*.pem` sign, `<folder>/enc-*.pem` open."""

    def __init__(self, folder: Path, contact_point: str, *, machine_secret: bytes | None) -> None:
        """`machine_secret` is `None` for files that are not protected."""
        super().__init__({})
        self._folder = folder
        self._contact_point = contact_point
        self._machine_secret = machine_secret

    def kids(self) -> Collection[str]:
        """The keys whose files are here; those in memory, should the folder not be readable for a moment."""
        try:
            names = os.listdir(self._folder)  # noqa: PTH208 - once a message, and three times as quick
        except OSError:
            return set(self._keys)
        kids = [f"{self._contact_point}#{name.removesuffix(_SUFFIX)}" for name in names if name.endswith(_SUFFIX)]
        found = {kid for kid in kids if is_kid(kid) and (is_for_signing(kid) or is_for_opening(kid))}
        for gone in self._keys.keys() - found:
            del self._keys[gone]
        return found

    def make(self, kid: str) -> bytes:
        """Makes a key, on the disk before it is in use; raises `FileExistsError` where there is one."""
        if self._machine_secret is None:
            raise UnavailableError(CODE, f"{self._folder}: found no machine secret, expected one to make a key under")
        key, protection = ec.generate_private_key(CURVE), BestAvailableEncryption(self._machine_secret)
        write_private(self._path(kid), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
        self._keys[kid] = key
        return self.point(kid)

    def destroy(self, kid: str) -> None:
        """Removes the file. What a file system or a backup keeps of it is not in our hands, but is encrypted."""
        super().destroy(kid)
        path = self._path(kid)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UnavailableError(CODE, f"{path}: {error.strerror}") from None

    def check(self) -> None:
        """Opens every key.

        Raises:
            UnavailableError: one does not open, or none signs (`E_KEY_FILE`).
        """
        kids = self.kids()
        if not any(map(is_for_signing, kids)):
            raise UnavailableError(CODE, f"no signing key in {self._folder}")
        for kid in kids:
            self._key(kid)

    def _key(self, kid: str) -> ec.EllipticCurvePrivateKey:
        if kid not in self._keys:
            self._keys[kid] = _load(self._path(kid), self._machine_secret)
        return self._keys[kid]

    def _path(self, kid: str) -> Path:
        if not is_kid(kid) or owner_of(kid) != self._contact_point:
            raise UnavailableError(CODE, f"the private key of {kid} is not among those of {self._contact_point}")
        return self._folder / f"{name_of(kid)}{_SUFFIX}"


def _load(path: Path, machine_secret: bytes | None) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(read_private(path), machine_secret)
    except (ValueError, TypeError):  # TypeError: protected and no secret, or a secret and not protected
        raise UnavailableError(CODE, f"{path} does not open with this machine secret") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnavailableError(CODE, f"{path} is not a P-256 key")
    return key
