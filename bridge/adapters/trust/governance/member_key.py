"""The key with which a member publishes its own keys: a file on its node, protected by the machine secret."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from securesystemslib.signer import CryptoSigner

from bridge.core.errors import UnavailableError
from bridge.private_files import read_private, write_private


def make_member_key(path: Path, *, machine_secret: bytes) -> CryptoSigner:
    """Makes the key in a private file; raises `FileExistsError` rather than writing over one."""
    key = Ed25519PrivateKey.generate()
    write_private(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(machine_secret)))
    return CryptoSigner(key)


def load_member_key(path: Path, *, machine_secret: bytes) -> CryptoSigner:
    """The key in its file.

    Raises:
        UnavailableError: it is missing, readable by others, or does not open with this secret (`E_KEY_FILE`).
    """
    try:
        return CryptoSigner(load_pem_private_key(read_private(path), machine_secret))
    except (ValueError, TypeError):
        raise UnavailableError("E_KEY_FILE", f"{path} does not open with this machine secret") from None
