"""Reads from the font's files how wide each letter is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from fontTools.ttLib import TTFont

SUBSETS: Final = ("greek", "cyrillic-ext", "cyrillic", "latin-ext", "latin")
WEIGHTS: Final = (400, 600)


def widths_of(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """By weight: each width in thousandths of the size, and all letters that have it.

    Args:
        folder: with the font's files, one for each subset and weight.
    """
    return {str(weight): _by_width(folder, weight) for weight in WEIGHTS}


def _by_width(folder: Path, weight: int) -> dict[str, str]:
    widths: dict[str, int] = {}
    for subset in SUBSETS:
        # WOFF, not WOFF2: its compression is in the standard library.
        with TTFont(folder / f"ibm-plex-sans-{subset}-{weight}-normal.woff") as font:
            metrics, units = font["hmtx"], font["head"].unitsPerEm
            for code, glyph in font.getBestCmap().items():
                widths[chr(code)] = round(metrics[glyph][0] * 1000 / units)
    by_width: dict[int, list[str]] = defaultdict(list)
    for letter, width in sorted(widths.items()):
        by_width[width].append(letter)
    return {str(width): "".join(letters) for width, letters in sorted(by_width.items())}
