"""Looks for personal data in free text before it leaves (vocabulary: Privacy).

It finds what has a shape: e-mail addresses, telephone numbers, document numbers, vehicle plates, street addresses in
a place. It does not find names: no pattern tells a person's from a town's, so an officer still reads every text. A
finding is a question to that officer, not a refusal: it may be a hotline.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_TEXTS: Final = frozenset(
    {"title", "handling_note", "narrative", "modus_operandi", "request", "note", "change_summary", "place", "platforms"}
)
# Letters before digits, as passports, identity cards and number plates of the region have them.
_SHAPES: Final = (
    ("an e-mail address", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")),
    (
        "a telephone number",
        re.compile(r"(?<![\w-])(?:\+|00)\d[\d ()/.-]{6,}\d|(?<![\w-])0\d{1,3}[ /-]\d{3}[\d -]{2,}\d"),
    ),
    ("a vehicle plate", re.compile(r"(?<!\w)[A-ZČĆŠŽĐ]{1,3}[ -]?\d{3,4}[ -]?[A-ZČĆŠŽĐ]{2}(?!\w)")),
    ("a document number", re.compile(r"(?<![\w-])(?:[A-Z]{1,3}[ -]?\d{6,9}|\d{9,13})(?!\w)")),
)
_STREET: Final = re.compile(r"\d+[a-z]?\s*$|(?i:\b(?:street|ulica|strada|str|utca|rruga|улица|ул)\b)")
_LOCODE: Final = re.compile(r"[A-Z]{2} ?[A-Z2-9]{3}\Z")


@dataclass(frozen=True, slots=True)
class Finding:
    """One place in a document that looks like personal data. The text itself is not repeated here."""

    path: str
    what: str

    def sentence(self) -> str:
        """The finding as one sentence."""
        return f"{self.path}: this looks like {self.what}; remove it, or confirm that it is nobody's"


def find_personal_data(body: Mapping[str, object], *, path: str = "$.body") -> tuple[Finding, ...]:
    """Every finding in the free texts of a body, in document order."""
    return tuple(_in_members(body, path))


def _in_members(members: Mapping[str, object], path: str) -> Iterator[Finding]:
    for name, value in members.items():
        where = f"{path}.{name}"
        if name in _TEXTS:
            yield from _in_text(value, where, is_place=name == "place")
        elif isinstance(value, Mapping):
            yield from _in_members(value, where)
        elif isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _in_members(item, f"{where}[{index}]")


def _in_text(value: object, path: str, *, is_place: bool) -> Iterator[Finding]:
    if isinstance(value, Mapping):
        for name, text in value.items():
            yield from _in_text(text, f"{path}.{name}", is_place=is_place)
    elif isinstance(value, list):
        for index, text in enumerate(value):
            yield from _in_text(text, f"{path}[{index}]", is_place=is_place)
    elif isinstance(value, str):
        yield from (Finding(path, what) for what, shape in _SHAPES if shape.search(value))
        if is_place and _LOCODE.match(value) is None and _STREET.search(value):
            yield Finding(path, "a precise address")
