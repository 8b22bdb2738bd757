"""The marks of a map: stops by their role, crossings, arrows. Shapes say what tints say, for who does not see them."""

from __future__ import annotations

from typing import Final

from bridge.console.map.projection import Point
from bridge.console.map.stops import DESTINATION, Stop
from bridge.console.map.svg import line_of, number

DISC: Final = 10.5
"""A stop's radius in pixels."""


def arrow(at: Point, towards: Point) -> str:
    """A head that points in a direction, a vector of length 1."""
    (x, y), (right, down) = at, towards
    corners = [(6.5, 0.0), (-5.0, 5.0), (-2.5, 0.0), (-5.0, -5.0)]
    turned = [(x + a * right - b * down, y + a * down + b * right) for a, b in corners]
    return f'<path class="arrow" d="{line_of(turned)}Z"/>'


def diamond(at: Point, *, is_named: bool) -> str:
    """A border crossing; open where nobody named it."""
    kind = "crossing" if is_named else "crossing unnamed"
    return f'<path class="{kind}" d="M{number(at[0])} {number(at[1] - 7)}l7 7-7 7-7-7z"/>'


def stop_mark(role: str, *, placed: bool = True) -> str:
    """A stop's mark around (0, 0)."""
    ring = "" if placed else " unplaced"
    outer = f'<circle class="ring{ring}" r="{DISC + 3.5}"/>' if role == DESTINATION else ""
    radius = DISC - 0.5 if role == DESTINATION else DISC
    return f'{outer}<circle class="stop {role}{ring}" r="{radius}"/>'


def numbered_stop(stop: Stop, at: Point, *, outside: bool) -> str:
    """A stop with its number, in a dotted ring where its place is outside the map."""
    numbers = "·".join(map(str, stop.numbers[:2]))
    ring = f'<circle class="outside" r="{DISC + 5}"/>' if outside else ""
    return (
        f'<g transform="translate({number(at[0])} {number(at[1])})">{ring}{stop_mark(stop.role, placed=stop.is_placed)}'
        f'<text class="number {stop.role}" y="4.3">{numbers}</text></g>'
    )
