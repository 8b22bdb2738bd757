"""From countries as polygons to arcs: each line between two countries, or to the sea, stands in the file once."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from shapely import LineString, MultiPolygon, Polygon, distance, line_merge, points, prepare, union_all

Spot = tuple[int, int]
Edge = tuple[Spot, Spot]
SPOTS: Final = 24
"""Places for a country's name, at most."""


def outlines_of(levels: Sequence[Mapping[str, MultiPolygon]], window: Sequence[float]) -> dict[str, Any]:
    """Arcs with the level of each point, the rings of each country made of them, and places for its name."""
    rings = {
        code: [_spots(ring) for polygon in land.geoms for ring in _rings(polygon)] for code, land in levels[0].items()
    }
    owners = _owners(rings)
    coarser = [
        {spot for land in level.values() for polygon in land.geoms for ring in _rings(polygon) for spot in _spots(ring)}
        for level in levels[1:]
    ]
    arcs: dict[tuple[Spot, ...], int] = {}
    countries: dict[str, Any] = {}
    for code, its_rings in sorted(rings.items()):
        numbered = []
        for ring in its_rings:
            pieces = list(_split(ring, owners))
            numbers = []
            for piece in pieces:
                if piece[::-1] in arcs:
                    numbers.append(~arcs[piece[::-1]])
                else:
                    numbers.append(arcs.setdefault(piece, len(arcs)))
            numbered.append(numbers)
        countries[code] = {"rings": numbered, "spots": name_spots(levels[0][code])}
    return {
        "window": [round(side) for side in window],
        "countries": countries,
        "arcs": [_steps(arc) for arc in arcs],
        "levels": ["".join(_level(spot, coarser) for spot in arc) for arc in arcs],
        "middles": {" ".join(pair): list(middle) for pair, middle in sorted(_middles(arcs, owners).items())},
    }


def _rings(polygon: Polygon) -> list[Any]:
    return [polygon.exterior, *polygon.interiors]


def _spots(ring: Any) -> list[Spot]:  # noqa: ANN401 - shapely's rings have no public type
    """A ring's points in whole units, without the closing one and without repetitions."""
    spots = [(round(x), round(y)) for x, y in ring.coords[:-1]]
    return [spot for n, spot in enumerate(spots) if spot != spots[n - 1]]


def _edges(ring: Sequence[Spot]) -> Iterator[Edge]:
    for n, spot in enumerate(ring):
        yield ring[n - 1], spot


def _owners(rings: Mapping[str, Sequence[Sequence[Spot]]]) -> dict[Edge, frozenset[str]]:
    """Which countries have an edge, whichever way they run along it."""
    owners: dict[Edge, set[str]] = defaultdict(set)
    for code, its_rings in rings.items():
        for ring in its_rings:
            for start, end in _edges(ring):
                owners[min(start, end), max(start, end)].add(code)
    return {edge: frozenset(codes) for edge, codes in owners.items()}


def _split(ring: Sequence[Spot], owners: Mapping[Edge, frozenset[str]]) -> Iterator[tuple[Spot, ...]]:
    """The ring's pieces, each along one neighbour; a ring that never changes begins at its smallest point."""
    sides = [owners[min(edge), max(edge)] for edge in _edges(ring)]  # sides[n] is the edge that ends in ring[n]
    size = len(ring)
    changes = [n for n in range(size) if sides[n] != sides[(n + 1) % size]] or [ring.index(min(ring))]
    for start, end in zip(changes, [*changes[1:], changes[0] + size], strict=True):
        yield tuple(ring[n % size] for n in range(start, end + 1))


def _level(spot: Spot, coarser: Sequence[set[Spot]]) -> str:
    """2 where only the fine outline has the point, 1 where the medium one has it too, 0 where all have it."""
    return str(2 - sum(spot in level for level in coarser))


def _steps(arc: Sequence[Spot]) -> list[int]:
    """The first point, then each difference to the one before, in one row of numbers."""
    steps = list(arc[0])
    for before, after in itertools.pairwise(arc):
        steps += [after[0] - before[0], after[1] - before[1]]
    return steps


def _middles(
    arcs: Mapping[tuple[Spot, ...], int], owners: Mapping[Edge, frozenset[str]]
) -> dict[tuple[str, str], Spot]:
    """The middle of each two countries' longest common line: where a border is crossed that nobody named."""
    lines: dict[tuple[str, str], list[LineString]] = defaultdict(list)
    for arc in arcs:
        codes = owners[min(arc[:2]), max(arc[:2])]
        if len(codes) == 2:  # noqa: PLR2004 - a border has two sides
            first, second = sorted(codes)
            lines[first, second].append(LineString(arc))
    middles = {}
    for pair, pieces in lines.items():
        merged = line_merge(union_all(pieces))
        longest = max(getattr(merged, "geoms", [merged]), key=lambda line: line.length)
        # A point of the line itself: no rounding moves it off the border.
        middle = longest.interpolate(0.5, normalized=True)
        x, y = min(longest.coords, key=lambda spot: middle.distance(points(*spot)))
        middles[pair] = (round(x), round(y))
    return middles


def name_spots(land: MultiPolygon) -> list[list[int]]:
    """Places for a country's name: x, y and how far the border is, the roomiest first, well apart from each other."""
    prepare(land)
    west, north, east, south = land.geoms[0].bounds
    step = max((land.geoms[0].area / 500.0) ** 0.5, 10.0)
    across, down = np.meshgrid(np.arange(west, east, step), np.arange(north, south, step))
    grid = points(across.ravel(), down.ravel())
    inside = grid[land.contains(grid)] if len(grid) else grid
    room = distance(inside, land.boundary)
    spots: list[list[int]] = []
    for n in np.argsort(-room, kind="stable"):
        x, y = inside[n].x, inside[n].y
        if all((x - a) ** 2 + (y - b) ** 2 > max(0.8 * r, 2 * step) ** 2 for a, b, r in spots):
            spots.append([round(x), round(y), round(room[n])])
        if len(spots) == SPOTS:
            break
    if not spots:
        inner = land.geoms[0].representative_point()
        spots.append([round(inner.x), round(inner.y), 1])
    return spots
