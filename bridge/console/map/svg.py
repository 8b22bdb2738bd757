"""Small pieces of SVG: numbers, text that came from elsewhere, lines."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import hypot
from typing import Final

from bridge.console.map.projection import Point

LONGEST_LABEL: Final = 42
"""Characters of a label; what is longer is cut, the itinerary beside the map has it whole."""


def clean(text: str, longest: int = LONGEST_LABEL) -> str:
    """A text in one line, without marks that turn the direction of what follows or that nobody sees; cut when long."""
    seen = "".join(" " if letter.isspace() else letter for letter in text[: 8 * longest])
    kept = " ".join("".join(letter for letter in seen if unicodedata.category(letter)[0] != "C").split())
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def said(text: str) -> str:
    """A text as it stands between tags or in an attribute."""
    return escape(text, quote=True)


def number(value: float) -> str:
    """A length in pixels, to a tenth."""
    return f"{value:.1f}".removesuffix(".0")


def line_of(points: Iterable[Point]) -> str:
    """The `d` of a line through points in pixels."""
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)


def length_of(points: Sequence[Point]) -> float:
    """How long a line is."""
    return sum(hypot(x - a, y - b) for (a, b), (x, y) in itertools.pairwise(points))


def along(points: Sequence[Point], part: float) -> tuple[Point, Point]:
    """The point at a part (0 to 1) of a line, and the direction there, as a vector of length 1."""
    left = length_of(points) * part
    for (a, b), (x, y) in itertools.pairwise(points):
        step = hypot(x - a, y - b)
        if step and left <= step * 1.000001:
            return (a + (x - a) * left / step, b + (y - b) * left / step), ((x - a) / step, (y - b) / step)
        left -= step
    return points[-1], (1.0, 0.0)


def spread(points: Sequence[Point], apart: float) -> Iterator[Point]:
    """Points along a line, at most that far from each other, its corners among them."""
    yield points[0]
    for (a, b), (x, y) in itertools.pairwise(points):
        pieces = int(hypot(x - a, y - b) / apart) + 1
        for n in range(1, pieces + 1):
            yield a + (x - a) * n / pieces, b + (y - b) * n / pieces
