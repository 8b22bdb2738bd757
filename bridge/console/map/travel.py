"""Where a leg's line runs: through its crossing, and never over a third country.

What is drawn, and why:
1. A crossing that the table knows: from the place to it and on to the other place, each part inside its own country,
   around whatever is not (`scripts/map.py` worked that out). A ferry line runs over the sea from port to port.
2. Neighbours without a known crossing: the same, through the middle of their border. The mark there is open: nobody
   named it.
3. A crossing into a country that the leg does not name: the way as far as it, then as in 5.
4. Else the straight line, by land, sea or air, where it comes upon nobody else's land.
5. Where it would, no line: the two ends, each with a short stub towards the other. What is between them is not known,
   and a line over a country says that it is concerned.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

from bridge.console.map.gazetteer import Crossing, Place, border_pairs, find_crossing, find_place
from bridge.console.map.legs import AIR, SEA, MapLeg
from bridge.console.map.outlines import outlines, touches_others
from bridge.console.map.projection import Point
from bridge.console.map.svg import along

STUB_PX: Final = 40.0
_STUB_PARTS: Final = (1.0, 0.7, 0.45, 0.25)  # the last is hidden by the stop's own mark


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a border is crossed; `is_named` where the table knows the place."""

    at: Point
    label: str
    is_named: bool


@dataclass(frozen=True, slots=True)
class Course:
    """A leg's line in map units.

    Attributes:
        lines: in order of travel; one line, or what is known of it.
        mark: the crossing.
        is_open: something between is not known: stubs stand at the open ends.
        own: the two countries that it may be drawn over.
    """

    lines: tuple[tuple[Point, ...], ...]
    mark: Mark | None
    is_open: bool
    own: tuple[str, str]


def course_of(leg: MapLeg, start: Place, end: Place) -> Course:
    """The line between two places that the map has."""
    own = (start.country, end.country)
    crossing = find_crossing(*own, leg.crossing, leg.crossing_mode) if leg.crossing else None
    if crossing is not None and crossing.mode == "sea":
        return _ferry(crossing, start, end)
    pair = (min(own), max(own))
    if leg.mode not in {AIR, SEA} or crossing is not None:
        if crossing is not None:
            mark = Mark(_stored()["crossings"][crossing.id], crossing.label, is_named=True)
            return _through(mark, crossing.id, start, end)
        if pair in outlines().middles:
            return _through(Mark(outlines().middles[pair], leg.crossing, is_named=False), " ".join(pair), start, end)
        elsewhere = _elsewhere(leg, start)
        if elsewhere is not None:
            mark = Mark(_stored()["crossings"][elsewhere.id], elsewhere.label, is_named=True)
            way = _way(start, elsewhere.id, mark.at)
            return Course(() if way is None else (way,), mark, is_open=True, own=own)
    straight = (start.at, end.at)
    if touches_others(straight, own):
        return Course((), None, is_open=True, own=own)
    return Course((straight,), None, is_open=False, own=own)


def stub(start: Point, end: Point, length: float, own: Sequence[str]) -> tuple[Point, Point]:
    """A short line from one point towards another, short enough to stay off other countries."""
    point, towards = along((start, end), 0.0)
    tips = [(point[0] + towards[0] * length * part, point[1] + towards[1] * length * part) for part in _STUB_PARTS]
    return point, next((tip for tip in tips if not touches_others((point, tip), own)), tips[-1])


def _through(mark: Mark, gate: str, start: Place, end: Place) -> Course:
    """From place to gate to place; a part without a way is left open."""
    there, back = _way(start, gate, mark.at), _way(end, gate, mark.at)
    own = (start.country, end.country)
    if there is not None and back is not None:
        return Course((there + back[::-1][1:],), mark, is_open=False, own=own)
    parts = tuple(way for way in (there, back[::-1] if back is not None else None) if way is not None)
    return Course(parts, mark, is_open=True, own=own)


def _way(place: Place, gate: str, at: Point) -> tuple[Point, ...] | None:
    """From a place to a gate of its country; `None` where no way is known."""
    stored = _stored()["land"].get(place.country, {})
    name = f"{place.id}>{gate}"
    if name in stored:
        bends = stored[name]
        return None if bends is None else (place.at, *bends, at)
    straight = (place.at, at)
    # What is not in the table is straight; a country that the table does not have was never looked at.
    if place.country in stored_countries() or not touches_others(straight, gate_countries(gate, place.country)):
        return straight
    return None


def _ferry(crossing: Crossing, start: Place, end: Place) -> Course:
    """To the port, over the sea, from the port."""
    ports = [find_place(code, name) for code, name in zip(crossing.countries, crossing.names, strict=True)]
    bends = _stored()["sea"].get(crossing.id)
    own = (start.country, end.country)
    if bends is None or ports[0] is None or ports[1] is None:
        return Course((), None, is_open=True, own=own)
    sea = (ports[0].at, *bends, ports[1].at)
    sea = sea if crossing.countries[0] == start.country else sea[::-1]
    whole = (*([start.at] if start.at != sea[0] else []), *sea, *([end.at] if end.at != sea[-1] else []))
    mark = Mark(along(sea, 0.5)[0], crossing.label, is_named=True)
    inland = [(start.at, sea[0]), (sea[-1], end.at)]
    if any(line[0] != line[1] and touches_others(line, own) for line in inland):
        return Course((sea,), mark, is_open=True, own=own)
    return Course((whole,), mark, is_open=False, own=own)


def _elsewhere(leg: MapLeg, start: Place) -> Crossing | None:
    """The crossing that a leg names out of its first country into one that the leg does not name."""
    if not leg.crossing:
        return None
    for pair in border_pairs():
        if start.country in pair:
            crossing = find_crossing(*pair, leg.crossing, leg.crossing_mode)
            if crossing is not None and crossing.mode != "sea":
                return crossing
    return None


def gate_countries(gate: str, country: str) -> tuple[str, ...]:
    """The countries on both sides of a crossing or of a border's middle, by its id."""
    codes = gate.upper().replace("-", " ").split()[:2]
    return (country, *codes)


@cache
def stored_countries() -> frozenset[str]:
    """The countries whose ways were worked out."""
    return frozenset(_stored()["land"])


@cache
def _stored() -> Mapping[str, Any]:
    text = (files("bridge.console.map") / "generated" / "ways.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    return {
        "crossings": {crossing: tuple(at) for crossing, at in stored["crossings"].items()},
        "land": {
            code: {name: _bends(numbers) for name, numbers in ways.items()} for code, ways in stored["land"].items()
        },
        "sea": {crossing: _bends(numbers) for crossing, numbers in stored["sea"].items()},
    }


def _bends(numbers: Sequence[int] | None) -> tuple[Point, ...] | None:
    return None if numbers is None else tuple(zip(numbers[::2], numbers[1::2], strict=True))
