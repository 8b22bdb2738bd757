"""How wide a text is in IBM Plex Sans, the console's font: labels are placed before any browser has seen them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

UNKNOWN: Final = 620
"""Thousandths of the size: for letters that the font has not; a browser takes them from another one."""


def text_width(text: str, size: float, *, bold: bool = False, spacing: float = 0.0) -> float:
    """The width in pixels of a text of that size in pixels; `spacing` is added after each letter."""
    widths = _widths()["600" if bold else "400"]
    return sum(widths.get(letter, UNKNOWN) for letter in text) * size / 1000.0 + spacing * len(text)


@cache
def _widths() -> Mapping[str, Mapping[str, int]]:
    file = files("bridge.console.map") / "generated" / "letters.json"
    stored: dict[str, dict[str, str]] = json.loads(file.read_text(encoding="utf-8"))
    return {
        weight: {letter: int(width) for width, letters in by_width.items() for letter in letters}
        for weight, by_width in stored.items()
    }
