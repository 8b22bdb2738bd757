"""Private keys on a PKCS#11 token: a smart card, a network's HSM, or SoftHSM2 in the tests (extra `hsm`).

`token.py` is signed in to one token, `pins.py` guards its PIN, `keys.py` has a contact point's keys on it, `signer.py`
a key of governance or of the revocation role. All of them need the extra; this file does not.

A token is named by its module (a shared library), its label, and the private file that holds its PIN. It is reached for
when a key is needed, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from securesystemslib.signer import Signer

from bridge.core.errors import RefusedError, UnavailableError
from bridge.ports.keys import KeyStore


def keys_on_token(contact_point: str, *, module: Path, label: str, pin_file: Path) -> KeyStore:
    """A contact point's keys; several contact points may share a token.

    Raises:
        UnavailableError: the extra `hsm` is not installed (`E_TOKEN`).
    """
    with _extra():
        from bridge.adapters.token.keys import TokenKeys  # noqa: PLC0415 - an extra, and needed by few
        from bridge.adapters.token.token import Token, TokenPlace  # noqa: PLC0415 - the same
    return TokenKeys(Token(TokenPlace(module, label, pin_file)), f"{contact_point}#")


def signer_on_token(key: str, *, module: Path, label: str, pin_file: Path, make: bool = False) -> Signer:
    """Signs for a role of the network with the key labelled `key`, which is made first if so asked.

    Raises:
        RefusedError: a key is to be made and there is one of this label (`E_KEY_EXISTS`).
        UnavailableError: the token cannot be used, or the key is not on it; the extra `hsm` is not installed.
    """
    with _extra():
        from bridge.adapters.token.keys import TokenKeys  # noqa: PLC0415 - an extra, and needed by few
        from bridge.adapters.token.signer import TokenSigner  # noqa: PLC0415 - the same
        from bridge.adapters.token.token import Token, TokenPlace  # noqa: PLC0415 - the same
    keys = TokenKeys(Token(TokenPlace(module, label, pin_file)))
    if make:
        try:
            keys.make(key)
        except FileExistsError:
            detail = f"token {label} holds a key labelled {key} already; nothing was changed"
            raise RefusedError("E_KEY_EXISTS", detail) from None
    return TokenSigner(keys, key)


@contextmanager
def _extra() -> Iterator[None]:
    try:
        yield
    except ImportError:
        detail = "a key is on a token, but python-pkcs11 (the extra hsm) is not installed"
        raise UnavailableError("E_TOKEN", detail) from None
