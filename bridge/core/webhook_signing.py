"""How a webhook is signed: standardwebhooks.com, version 1, HMAC-SHA256 over id, time and body."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
LEAST_SECRET_BYTES: Final = 24


def new_secret() -> str:
    """A fresh secret in the form in which it is handed over: `whsec_` and base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of a secret.

    Raises:
        ValueError: it has not that form, or holds fewer than 24 bytes.
    """
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):  # ValueError: it is not ASCII
        key = b""
    if len(key) < LEAST_SECRET_BYTES:
        raise ValueError(f"{PREFIX} and {LEAST_SECRET_BYTES} bytes or more in base64")
    return key


def signed_headers(webhook_id: str, at: datetime, body_bytes: bytes, keys: Sequence[bytes]) -> Mapping[str, str]:
    """The three headers; while a secret is replaced there are two keys, and a receiver needs either.

    Args:
        webhook_id: the same in every attempt.
        at: of this attempt.
        body_bytes: exactly what is posted.
        keys: the newest first.
    """
    seconds = str(int(at.timestamp()))
    signed = b".".join((webhook_id.encode(), seconds.encode(), body_bytes))
    signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in keys)
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
