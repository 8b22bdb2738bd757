"""A contact point's private keys as files, protected by the node's machine secret.

Rules:
1. Files are 0600 in a 0700 folder; a file that others can read is refused.
2. Every key file is PKCS#8, encrypted with the machine secret (256 random bits: the few PBKDF2 rounds that
   `BestAvailableEncryption` uses are no weakness under a secret of that size).
3. Secrets come from files, never from a command line.

It does not protect against whoever has root on this host (docs/security.md says so).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from bridge.core.errors import UnavailableError
from bridge.core.ids import owner_of
from bridge.private_files import read_private, write_private

SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class PrivateKeys:
    """One contact point's private keys: the signing key in use, and every opening key still kept."""

    contact_point: str
    signing_kid: str
    signing_key: ec.EllipticCurvePrivateKey = field(repr=False)
    opening_keys: dict[str, ec.EllipticCurvePrivateKey] = field(repr=False)
    storage_key: bytes = field(repr=False)


def make_secret(path: Path) -> None:
    """Writes a fresh 256-bit secret."""
    write_private(path, secrets.token_bytes(SECRET_BYTES))


def read_secret(path: Path) -> bytes:
    """The secret in a private file; `UnavailableError` when it is missing, too short or readable by others."""
    data = read_private(path)
    if len(data) < SECRET_BYTES:
        raise UnavailableError("E_KEY_FILE", f"{path} holds fewer than {SECRET_BYTES} bytes")
    return data


def make_key(folder: Path, kid: str, *, machine_secret: bytes) -> bytes:
    """Makes a P-256 key for `kid` in the folder; answers the public point, 65 bytes."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(machine_secret))
    write_private(_key_path(folder, kid), pem)
    return private_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def load_keys(folder: Path, contact_point: str, *, machine_secret: bytes) -> PrivateKeys:
    """The keys of a contact point: of several signing keys the one whose name sorts last is in use."""
    signing = sorted(folder.glob("sig-*.pem"))
    if not signing:
        raise UnavailableError("E_KEY_FILE", f"no signing key in {folder}")
    return PrivateKeys(
        contact_point=contact_point,
        signing_kid=f"{contact_point}#{signing[-1].stem}",
        signing_key=_load(signing[-1], machine_secret),
        opening_keys=load_opening_keys(folder, contact_point, machine_secret=machine_secret),
        storage_key=read_secret(folder / "storage.key"),
    )


def load_opening_keys(
    folder: Path, contact_point: str, *, machine_secret: bytes | None
) -> dict[str, ec.EllipticCurvePrivateKey]:
    """Every opening key of a contact point by its key id; `machine_secret` is `None` for unprotected files."""
    return {f"{contact_point}#{path.stem}": _load(path, machine_secret) for path in sorted(folder.glob("enc-*.pem"))}


def _key_path(folder: Path, kid: str) -> Path:
    return folder / f"{kid.removeprefix(owner_of(kid) + '#')}.pem"


def _load(path: Path, machine_secret: bytes | None) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(read_private(path), machine_secret)
    except (ValueError, TypeError):  # TypeError: protected and no secret, or a secret and not protected
        raise UnavailableError("E_KEY_FILE", f"{path} does not open with this machine secret") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnavailableError("E_KEY_FILE", f"{path} is not a P-256 key")
    return key
