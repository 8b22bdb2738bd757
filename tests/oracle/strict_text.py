"""Strict JSON and canonical base64url for the jwcrypto peer, which is lenient in both (wire-format: steps 2 and 3).

Promises: what `parse` returns has no duplicate member, NaN, float or lone surrogate and at most `MAX_DEPTH` levels;
what `decode` accepts is the one spelling of its bytes. Errors are `ValueError`. Does not know what the JSON means.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, NoReturn

from jwcrypto.common import base64url_decode, base64url_encode

# Payloads and bodies have a fixed set of names but nested values: no narrower type describes all of them.
JsonObject = dict[str, Any]

MAX_DEPTH = 24
MAX_INTEGER = 2**53 - 1


def parse(text_bytes: bytes) -> JsonObject:
    """The JSON object in `text_bytes`.

    Args:
        text_bytes: UTF-8 without a byte order mark.

    Raises:
        ValueError: not strict JSON, or not an object.
    """
    try:
        value = json.loads(
            text_bytes.decode("utf-8"),
            object_pairs_hook=_unique_members,
            parse_constant=_refuse_constant,
            parse_float=_refuse_float,
            parse_int=_safe_integer,
        )
        # A lone surrogate can be written as an escape; it is the only text that UTF-8 cannot hold.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
        too_deep = _depth(value) > MAX_DEPTH
    except RecursionError:
        too_deep = True
    if too_deep:
        _refuse("nested too deeply")
    if not isinstance(value, dict):
        _refuse("not an object")
    return value


def decode(text: object) -> bytes:
    """The bytes behind canonical, unpadded base64url; `ValueError` for every other spelling."""
    if not isinstance(text, str):
        _refuse("not a string")
    found_bytes: bytes = base64url_decode(text)
    if base64url_encode(found_bytes) != text:
        _refuse("not canonical base64url")
    return found_bytes


def encode(plain_bytes: bytes) -> str:
    """Unpadded base64url."""
    return str(base64url_encode(plain_bytes))


def sha256(plain_bytes: bytes) -> str:
    """The SHA-256 of `plain_bytes` as base64url, 43 characters."""
    return encode(hashlib.sha256(plain_bytes).digest())


def _refuse(reason: str) -> NoReturn:
    raise ValueError(reason)


def _unique_members(pairs: list[tuple[str, object]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("duplicate member")
    return members


def _refuse_constant(text: str) -> None:
    _refuse(f"{text} is not JSON")


def _refuse_float(text: str) -> None:
    _refuse(f"{text} is a float")


def _safe_integer(text: str) -> int:
    number = int(text)
    if abs(number) > MAX_INTEGER:
        _refuse(f"{text} is beyond 2^53 - 1")
    return number


def _depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
