"""Private keys on a PKCS#11 token: a smart card, a network's HSM, or SoftHSM2 in the tests (extra `hsm`).

`token.py` is signed in to one token, `pins.py` guards its PIN, `keys.py` has a contact point's keys on it, `signer.py`
a key of governance or of the revocation role. All of them need the extra; this file does not.
"""

from __future__ import annotations

from pathlib import Path

from bridge.core.errors import UnavailableError
from bridge.ports.keys import KeyStore


def keys_on_token(contact_point: str, *, module: Path, label: str, pin_file: Path) -> KeyStore:
    """A contact point's keys on a token, which is reached for when a key is needed.

    Args:
        contact_point: whose keys; several may share a token.
        module: the PKCS#11 module, a shared library.
        label: the token's.
        pin_file: a private file with the token's PIN.

    Raises:
        UnavailableError: the extra `hsm` is not installed (`E_TOKEN`).
    """
    try:
        from bridge.adapters.token.keys import TokenKeys  # noqa: PLC0415 - an extra, and needed by few
        from bridge.adapters.token.token import Token, TokenPlace  # noqa: PLC0415 - the same
    except ImportError:
        detail = f"{contact_point}: its keys are on a token, but python-pkcs11 (the extra hsm) is not installed"
        raise UnavailableError("E_TOKEN", detail) from None
    return TokenKeys(Token(TokenPlace(module, label, pin_file)), f"{contact_point}#")
