"""The countries' outlines, as `scripts/map.py` made them, and the ground of a picture drawn from them.

Each line stands in the file once, as an arc, with the level of each of its points: coarse views leave out what they
could not show, and a border stays common to its two countries. What is drawn is kept: pictures differ in their frame
and their tints only.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import Any, Final

from bridge.console.map.frame import Frame
from bridge.console.map.projection import Point
from bridge.console.map.svg import number

FINE, MEDIUM, COARSE = 2, 1, 0
_MEDIUM_FROM_KM: Final = 700.0
_COARSE_FROM_KM: Final = 2200.0
_SMALLEST_RING_PX: Final = 2.0

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One closed line of a country: its numbered arcs, and the box around it in map units."""

    arcs: tuple[int, ...]
    box: Box


@dataclass(frozen=True, slots=True)
class Outlines:
    """All there is to draw.

    Attributes:
        window: the part of the map that has outlines, in map units.
        arcs: their points; `levels` says for each from which level on it is drawn.
        borders: arcs between two countries, by pair.
        spots: places for a country's name: x, y and the room around, the roomiest first.
        middles: by two codes in order, the middle of their border.
        disputed: pairs whose line is not agreed.
    """

    window: Box
    arcs: tuple[tuple[Point, ...], ...]
    levels: tuple[str, ...]
    rings: Mapping[str, tuple[Ring, ...]]
    borders: Mapping[int, tuple[str, str]]
    spots: Mapping[str, tuple[tuple[float, float, float], ...]]
    middles: Mapping[tuple[str, str], Point]
    disputed: frozenset[tuple[str, str]]


@cache
def outlines() -> Outlines:
    """The generated file, read once."""
    stored = json.loads((files("bridge.console.map") / "generated" / "outlines.json").read_text(encoding="utf-8"))
    arcs = tuple(_points(steps) for steps in stored["arcs"])
    return Outlines(
        window=tuple(stored["window"]),
        arcs=arcs,
        levels=tuple(stored["levels"]),
        rings={
            code: tuple(Ring(tuple(ring), _box(ring, arcs)) for ring in country["rings"])
            for code, country in stored["countries"].items()
        },
        borders=_borders(stored["countries"]),
        spots={code: tuple(map(tuple, country["spots"])) for code, country in stored["countries"].items()},
        middles={tuple(pair.split()): tuple(middle) for pair, middle in stored["middles"].items()},
        disputed=frozenset((min(pair), max(pair)) for pair in stored["disputed"]),
    )


def _points(steps: Sequence[int]) -> tuple[Point, ...]:
    return tuple(zip(accumulate(steps[::2]), accumulate(steps[1::2]), strict=True))


def _box(ring: Sequence[int], arcs: Sequence[Sequence[Point]]) -> Box:
    points = [point for arc in ring for point in arcs[max(arc, ~arc)]]
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def _borders(countries: Mapping[str, Any]) -> dict[int, tuple[str, str]]:
    owners: dict[int, list[str]] = {}
    for code, country in countries.items():
        for ring in country["rings"]:
            for arc in ring:
                owners.setdefault(max(arc, ~arc), []).append(code)
    return {arc: (min(codes), max(codes)) for arc, codes in owners.items() if len(codes) > 1}


def level_for(frame: Frame) -> int:
    """How fine the outlines of a picture are."""
    return FINE if frame.km < _MEDIUM_FROM_KM else MEDIUM if frame.km < _COARSE_FROM_KM else COARSE


def overlaps(one: Box, other: Box) -> bool:
    """Whether two boxes have anything in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def draw_ground(frame: Frame, tints: Mapping[str, str], prefix: str) -> str:
    """Sea, land, borders and coasts of a frame.

    Args:
        frame: what is shown.
        tints: a class by country: origin, transit or destination.
        prefix: begins the ids, which must be unique in a page.
    """
    level, shown = level_for(frame), outlines()
    smallest = _SMALLEST_RING_PX / frame.scale
    lands = []
    for code, rings in sorted(shown.rings.items()):
        path = "".join(
            _ring_path(code, n, level)
            for n, ring in enumerate(rings)
            if overlaps(ring.box, frame.bounds)
            and (n == 0 or max(ring.box[2] - ring.box[0], ring.box[3] - ring.box[1]) > smallest)
        )
        if path:
            lands.append(f'<path class="land {tints.get(code, "other")}" d="{path}"/>')
    agreed: list[str] = []
    disputed: list[str] = []
    for arc, pair in shown.borders.items():
        if overlaps(_arc_box(arc), frame.bounds):
            (disputed if pair in shown.disputed else agreed).append(_arc_path(arc, level))
    move = f"scale({frame.scale:.5f}) translate({number(-frame.left)} {number(-frame.top)})"
    return (
        f'<rect class="sea" width="{frame.width}" height="{frame.height}"/>'
        f'<g transform="{move}"><g class="coast"><g id="{prefix}land">{"".join(lands)}</g></g>'
        f'<use href="#{prefix}land"/><path class="border" d="{"".join(agreed)}"/>'
        f'<path class="border disputed" d="{"".join(disputed)}"/></g>'
    )


@cache
def _arc_box(arc: int) -> Box:
    return _box([arc], outlines().arcs)


@cache
def _drawn(arc: int, level: int) -> tuple[Point, ...]:
    shown = outlines()
    points = shown.arcs[max(arc, ~arc)]
    kept = shown.levels[max(arc, ~arc)]
    last = len(points) - 1
    drawn = tuple(point for n, point in enumerate(points) if n in {0, last} or int(kept[n]) <= level)
    return drawn if arc >= 0 else drawn[::-1]


def _path(points: Collection[Point], *, closed: bool) -> str:
    """A path of whole numbers, each point as the difference to the one before."""
    (x, y), *rest = points
    steps = []
    for a, b in rest:
        steps.append(f"{a - x:g} {b - y:g}")
        x, y = a, b
    first = next(iter(points))
    return f"M{first[0]:g} {first[1]:g}l{' '.join(steps)}{'z' if closed else ''}" if steps else ""


@cache
def _arc_path(arc: int, level: int) -> str:
    return _path(_drawn(arc, level), closed=False)


@cache
def _ring_path(code: str, ring: int, level: int) -> str:
    return _path(tuple(_ring_points(code, ring, level)), closed=True)


def _ring_points(code: str, ring: int, level: int) -> Iterator[Point]:
    """A ring's points; each arc begins where the one before ended."""
    for arc in outlines().rings[code][ring].arcs:
        yield from _drawn(arc, level)[:-1]


def touches_others(line: Sequence[Point], own: Collection[str]) -> bool:
    """Whether a line comes upon land, or along a border, of any country but these."""
    left, right = min(x for x, _ in line), max(x for x, _ in line)
    top, bottom = min(y for _, y in line), max(y for _, y in line)
    around = (left - 1, top - 1, right + 1, bottom + 1)
    for code, rings in outlines().rings.items():
        if code in own:
            continue
        for n, ring in enumerate(rings):
            if overlaps(ring.box, around) and _crosses(line, _closed_ring(code, n), around):
                return True
    return False


@cache
def _closed_ring(code: str, ring: int) -> tuple[Point, ...]:
    points = tuple(_ring_points(code, ring, FINE))
    return (*points, points[0])


def _crosses(line: Sequence[Point], ring: Sequence[Point], around: Box) -> bool:
    for (a, b), (c, d) in pairwise(ring):
        if (a < around[0] and c < around[0]) or (a > around[2] and c > around[2]):
            continue
        if (b < around[1] and d < around[1]) or (b > around[3] and d > around[3]):
            continue
        for start, end in pairwise(line):
            if _side(start, end, (a, b)) != _side(start, end, (c, d)) and (
                _side((a, b), (c, d), start) != _side((a, b), (c, d), end)
            ):
                return True
    return False


def _side(start: Point, end: Point, point: Point) -> bool:
    return (end[0] - start[0]) * (point[1] - start[1]) > (end[1] - start[1]) * (point[0] - start[0])
