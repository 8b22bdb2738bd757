"""Canonical base64url without padding (RFC 7515 section 2): one text for one value, everything else refused."""

from __future__ import annotations

import base64
import re

_ALPHABET = re.compile(r"[A-Za-z0-9_-]*\Z")


def encode(data: bytes) -> str:
    """The canonical text of `data`."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of a canonical text; `ValueError` for padding, foreign characters or loose trailing bits."""
    if _ALPHABET.match(text) is None or len(text) % 4 == 1:
        message = "not canonical base64url"
        raise ValueError(message)
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode(data) != text:
        message = "not canonical base64url"
        raise ValueError(message)
    return data
