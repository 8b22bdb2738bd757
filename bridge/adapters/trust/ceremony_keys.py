"""The private keys of a network's signing roles, as files where the ceremony takes place.

Rules:
1. Files are 0600 in a 0700 folder, made once and never written over.
2. Root and targets need more signatures than one key can make: whoever steals one file can change nothing. In this
   phase all files lie in one folder on one machine; the thresholds are real, the separation of persons is not yet.

Nodes never see this folder: they read the mirror.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Root

from bridge.core.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class RoleRule:
    """How many keys a role has, how many must sign, and for how many days a signature holds."""

    keys: int
    threshold: int
    days: int


# wire-format: Keys and the trust list. The timestamp alone decides how fresh the list is; the others outlive it amply.
ROLES: Final[Mapping[str, RoleRule]] = {
    "root": RoleRule(keys=3, threshold=2, days=730),
    "targets": RoleRule(keys=2, threshold=2, days=365),
    "snapshot": RoleRule(keys=1, threshold=1, days=365),
    "timestamp": RoleRule(keys=1, threshold=1, days=45),
}

Signers = Mapping[str, tuple[CryptoSigner, ...]]


def make_ceremony_keys(folder: Path) -> Signers:
    """Makes every role's keys; raises `FileExistsError` rather than writing over one."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = {}
    for role, rule in ROLES.items():
        signers = tuple(CryptoSigner.generate_ed25519() for _ in range(rule.keys))
        for number, signer in enumerate(signers, 1):
            _write_private(folder / f"{role}-{number}.pem", signer.private_bytes)
        made[role] = signers
    return made


def load_ceremony_keys(folder: Path, root: Root) -> Signers:
    """The signers of every role whose keys the root file names.

    Raises:
        UnavailableError: fewer keys are here than a role's threshold (`E_CEREMONY_KEYS`).
    """
    found = {}
    for role, named in root.roles.items():
        signers = tuple(_load(path) for path in sorted(folder.glob(f"{role}-*.pem")))
        usable = tuple(signer for signer in signers if signer.public_key.keyid in named.keyids)
        if len(usable) < named.threshold:
            raise UnavailableError(
                "E_CEREMONY_KEYS", f"{folder}: {len(usable)} keys of the role {role}, {named.threshold} have to sign"
            )
        found[role] = usable
    return found


def _load(path: Path) -> CryptoSigner:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
        return CryptoSigner(key)
    except OSError as error:
        raise UnavailableError("E_CEREMONY_KEYS", f"{path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise UnavailableError("E_CEREMONY_KEYS", f"{path} is not a private key file") from None


def _write_private(path: Path, data: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
