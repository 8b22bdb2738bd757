"""What stands beside the map's content: the legend in a strip below it, and the scale bar in a corner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bridge.console.map.frame import Frame
from bridge.console.map.labels import Layout
from bridge.console.map.letters import text_width
from bridge.console.map.projection import UNITS_PER_KM
from bridge.console.map.svg import number, said

_LENGTHS_KM: Final = (500, 200, 100, 50, 20)
TEXT: Final = 12.5
_KEY: Final = 34.0
_ROW: Final = 24.0
_GAP: Final = 18.0
_LEFT: Final = 12.0


def draw_scale(frame: Frame, layout: Layout) -> str:
    """A bar of a round length, at most a fifth of the picture wide, in the lower right corner."""
    per_km = frame.scale * UNITS_PER_KM
    km = next((length for length in _LENGTHS_KM if length * per_km <= frame.width / 5), _LENGTHS_KM[-1])
    text = f"{km} km"
    wide = km * per_km
    right, y = frame.width - 12 - text_width(text, TEXT) - 6, frame.height - 14
    layout.keep((right - wide - 6, y - 12, frame.width - 4, y + 8))
    bar = f"M{number(right - wide)} {y - 5}V{y}H{number(right)}V{y - 5}"
    return f'<path class="scale" d="{bar}"/><text class="scale-text" x="{number(right + 6)}" y="{y + 2}">{text}</text>'


def draw_legend(entries: Sequence[tuple[str, str]], top: float, width: float) -> tuple[str, float]:
    """Keys and what they mean, in rows below the picture; answers the strip's height as well.

    Args:
        entries: the key as SVG around (0, 0), and its text.
        top: where the strip begins, in pixels.
        width: of the picture.
    """
    x, y = _LEFT, top + _ROW / 2 + 4
    drawn = []
    for key, text in entries:
        wide = _KEY + text_width(text, TEXT)
        if x > _LEFT and x + wide > width - _LEFT:
            x, y = _LEFT, y + _ROW
        drawn.append(
            f'<g transform="translate({number(x + 13)} {number(y)})">{key}</g>'
            f'<text class="legend-text" x="{number(x + _KEY)}" y="{number(y + 4.5)}">{said(text)}</text>'
        )
        x += wide + _GAP
    height = y - top + _ROW / 2 + 4
    ground = f'<rect class="legend" y="{number(top)}" width="{number(width)}" height="{number(height)}"/>'
    return ground + "".join(drawn), height
