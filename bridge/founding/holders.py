"""The keys of those who sign for a network: made for a holder, opened when something is to be signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from securesystemslib.signer import Signer

from bridge.adapters.trust.governance.holder_key import is_protected, load_holder_key, make_holder_key, public_file
from bridge.founding.token_holders import is_on_token, load_token_key, make_token_key
from bridge.settings.contact_points import TokenSettings

Passphrase = Callable[[Path], bytes]


def make_key(
    path: Path, holder: str, *, passphrase: bytes | None, token: TokenSettings | None = None
) -> tuple[str, Path]:
    """Makes a holder's key, in the file or on a token, and answers its id and the file that is to be handed over.

    Raises:
        BadInputError: the holder's name is none for one line.
        RefusedError: a file is there already; nothing was changed.
        UnavailableError: the files cannot be written, or the token not be used.
    """
    made = make_token_key(path, holder, token) if token else make_holder_key(path, holder, passphrase=passphrase)
    return made.keyid, public_file(path)


def open_keys(paths: Sequence[Path], passphrase: Passphrase) -> tuple[Signer, ...]:
    """The signers in these files; `passphrase` is called for each file that is protected by one.

    Raises:
        UnavailableError: a file is missing, readable by others, no key of ours, or does not open (`E_KEY_FILE`); the
            token that it names cannot be used.
    """
    return tuple(_open(path, passphrase) for path in paths)


def _open(path: Path, passphrase: Passphrase) -> Signer:
    if is_on_token(path):
        return load_token_key(path)
    return load_holder_key(path, passphrase=passphrase(path) if is_protected(path) else None)
