"""What a body is found by.

Words are folded (case and accents aside) and cut to their first letters: Slavic words have many endings, and one term a
word keeps the index small. A search opens what it found and looks for the whole words.

Codes (countries, forms of exploitation, ...) are terms of their own, so that they are not taken for words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Final

STEM: Final = 4
SHORTEST: Final = 2
MOST_TERMS: Final = 2000  # of one body; the largest body that may be sent has about half as many
_CODE: Final = re.compile(r"[A-Za-z0-9_+.-]{1,64}")
_WORD: Final = re.compile(r"\w+")
_NOT_SEARCHED: Final = frozenset(
    {"salt", "payload_sha256", "retain_until", "thread", "supersedes", "references", "files"}
)


def words_in(text: str) -> Iterator[str]:
    """The words of a text, folded."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    without = "".join(letter for letter in plain if not unicodedata.combining(letter))
    yield from (word for word in _WORD.findall(without) if len(word) >= SHORTEST)


def stem_of(word: str) -> str:
    """What of a folded word goes into the index."""
    return word[:STEM]


def code_term(code: str) -> str:
    """How a code stands in the index."""
    return f"={code}"


def texts_of(body: Mapping[str, object]) -> Iterator[str]:
    """Every text in a body, codes included; not what only machines read."""
    waiting: list[object] = [value for name, value in body.items() if name not in _NOT_SEARCHED]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def terms_of(body: Mapping[str, object]) -> frozenset[str]:
    """Everything by which a body is found."""
    found: set[str] = set()
    for text in texts_of(body):
        found.update(stem_of(word) for word in words_in(text))
        if _CODE.fullmatch(text):
            found.add(code_term(text))
        if len(found) > MOST_TERMS:
            break
    return frozenset(found)


def has_words(body: Mapping[str, object], wanted: frozenset[str]) -> bool:
    """Whether each wanted word begins some word of the body; a word shorter than a stem must stand there as it is."""
    words = {word for text in texts_of(body) for word in words_in(text)}
    return all(word in words or (len(word) >= STEM and any(one.startswith(word) for one in words)) for word in wanted)
