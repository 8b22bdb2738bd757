"""Private keys of a network's signing roles, as files in one folder: of one holder, or of all where they are together.

Rules:
1. Files are 0600 in a 0700 folder, made once and never written over.
2. What governance signs needs more signatures than one key can make: whoever steals one file can change nothing.

Nodes never see this folder: they read the mirror.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner

from bridge.core.errors import UnavailableError

GOVERNANCE: Final = "governance"
REVOCATIONS: Final = "revocations"
ONLINE: Final = ("snapshot", "timestamp")


def make_keys(folder: Path, numbers: Mapping[str, int]) -> Mapping[str, tuple[CryptoSigner, ...]]:
    """Makes so many keys of each group, `<group>-<number>.pem`, numbered after those that are there.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    made = {}
    for group, number in numbers.items():
        signers = tuple(CryptoSigner.generate_ed25519() for _ in range(number))
        for place, signer in enumerate(signers, 1 + len(list(folder.glob(f"{group}-*.pem")))):
            write_key(folder / f"{group}-{place}.pem", signer)
        made[group] = signers
    return made


def load_signers(paths: Iterable[Path]) -> tuple[CryptoSigner, ...]:
    """The signers in private key files.

    Raises:
        UnavailableError: one cannot be read, or is no private key (`E_CEREMONY_KEYS`).
    """
    return tuple(_load(path) for path in sorted(paths))


def write_key(path: Path, signer: CryptoSigner) -> None:
    """A private key as its owner's file alone; raises `FileExistsError` where there is one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(signer.private_bytes)


def _load(path: Path) -> CryptoSigner:
    try:
        return CryptoSigner(load_pem_private_key(path.read_bytes(), None))
    except OSError as error:
        raise UnavailableError("E_CEREMONY_KEYS", f"{path}: {error.strerror}") from None
    except (ValueError, TypeError):
        raise UnavailableError("E_CEREMONY_KEYS", f"{path} is not a private key file") from None
