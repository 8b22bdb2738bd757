"""Strict JSON: the only parser that untrusted bytes meet.

Rules:
1. UTF-8 without a byte order mark; nothing but one JSON value.
2. No member twice in one object (RFC 8259 leaves it open, attackers do not).
3. No NaN or Infinity; no floats at all, the formats have none; integers within 2^53 (RFC 7493).
4. No lone surrogate in any string.
5. Nesting no deeper than `MAX_DEPTH`, decided before the parser runs.

It does not say which members are expected: that is the schema's work.
"""

from __future__ import annotations

import json
import re
from typing import Final

MAX_DEPTH: Final = 24
MAX_INTEGER: Final = 2**53 - 1

JsonObject = dict[str, object]

# Possessive, and an unterminated string ends with the data: one pass over any bytes, or 40 kB cost seconds.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+\\?(?:"|\Z)', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


class StrictJsonError(ValueError):
    """The bytes are not JSON as rules 1 to 5 have it; the message says which, and repeats nothing of them.

    Attributes:
        member: the name of the member that stands twice, for the document's author; it is content, as its value is.
    """

    def __init__(self, message: str, *, member: str | None = None) -> None:
        super().__init__(message)
        self.member = member

    @property
    def for_author(self) -> str:
        """The message with the member's name, for whoever wrote the document."""
        return str(self) if self.member is None else f"{self}: {self.member[:64]!r}"


def parse_object(data: bytes) -> JsonObject:
    """The JSON object in `data`.

    Raises:
        StrictJsonError: the bytes break a rule, or hold something else than an object.
    """
    value = parse(data)
    if not isinstance(value, dict):
        message = "expected a JSON object"
        raise StrictJsonError(message)
    return value


def parse(data: bytes) -> object:
    """The JSON value in `data`; raises `StrictJsonError` where a rule is broken."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start}"
        raise StrictJsonError(message) from None
    _bound_depth(data)
    try:
        value: object = _DECODER.decode(text)
    except StrictJsonError:
        raise
    except (ValueError, RecursionError) as error:
        message = f"not JSON: {error}" if isinstance(error, json.JSONDecodeError) else "not JSON"
        raise StrictJsonError(message) from None
    if _SURROGATE_ESCAPE.search(data):
        _refuse_lone_surrogates(value)
    return value


def encode(value: object) -> bytes:
    """Compact UTF-8 JSON; what we sign is encoded once, here, and never again."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8")


def _bound_depth(data: bytes) -> None:
    if data.count(b"{") + data.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise StrictJsonError(message)


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a member stands twice"
        raise StrictJsonError(message, member=_first_twice(pairs))
    return members


def _first_twice(pairs: list[tuple[str, object]]) -> str:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return name
        seen.add(name)
    return ""


def _integer(text: str) -> int:
    if len(text) > len(str(MAX_INTEGER)) + 1 or abs(int(text)) > MAX_INTEGER:
        message = "an integer beyond 2^53"
        raise StrictJsonError(message)
    return int(text)


def _no_float(_: str) -> float:
    message = "a number that is not an integer"
    raise StrictJsonError(message)


def _no_constant(name: str) -> object:
    message = f"{name} is not JSON"
    raise StrictJsonError(message)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_no_float, parse_constant=_no_constant
)


def _refuse_lone_surrogates(value: object) -> None:
    if isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            message = "a lone surrogate in a string"
            raise StrictJsonError(message) from None
    elif isinstance(value, dict):
        for name, member in value.items():
            _refuse_lone_surrogates(name)
            _refuse_lone_surrogates(member)
    elif isinstance(value, list):
        for member in value:
            _refuse_lone_surrogates(member)
