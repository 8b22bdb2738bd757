"""The keys of those who sign for a network: made for a holder, opened when something is to be signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from securesystemslib.signer import Signer

from bridge.adapters.trust.holder_key import is_protected, load_holder_key, make_holder_key, public_file

Passphrase = Callable[[Path], bytes]


def make_key(path: Path, holder: str, *, passphrase: bytes | None) -> tuple[str, Path]:
    """Makes a holder's key, and answers its id and the file that is to be handed over.

    Raises:
        BadInputError: the holder's name is none for one line.
        RefusedError: a file is there already; nothing was changed.
        UnavailableError: the files cannot be written.
    """
    return make_holder_key(path, holder, passphrase=passphrase).keyid, public_file(path)


def open_keys(paths: Sequence[Path], passphrase: Passphrase) -> tuple[Signer, ...]:
    """The signers in these files; `passphrase` is called for each file that is protected by one.

    Raises:
        UnavailableError: a file is missing, readable by others, no key of ours, or does not open (`E_KEY_FILE`).
    """
    return tuple(load_holder_key(path, passphrase=passphrase(path) if is_protected(path) else None) for path in paths)
