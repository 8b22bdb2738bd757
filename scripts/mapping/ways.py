"""Works out the ways from each place to each border crossing of its country, and over the sea, past third countries.

A way is a straight line where nothing is in it. Else it is the shortest line that stays inside: such a line bends only
at corners of the ground, so the corners that see each other are a graph, and the way is the shortest path in it.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import hypot, inf
from typing import Any, Final

import numpy as np
from shapely import MultiPolygon, Point, covers, get_parts, linestrings, orient_polygons, prepare, union_all
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry
from shapely.ops import nearest_points

from bridge.console.map.gazetteer import Crossing, Place
from bridge.console.map.projection import UNITS_PER_KM

KM: Final = UNITS_PER_KM
SLACK: Final = 0.6 * KM
"""How far a way may be over the line: a crossing lies on it, and outlines are simplified."""
MARGIN: Final = 3 * KM
"""How far from the border a way bends."""
HARBOUR: Final = 35 * KM
"""Around a port a ship may be drawn over the port's own land: outlines are too coarse for harbours and straits."""
FARTHEST_SNAP: Final = 12 * KM
FARTHEST_OVER_SEA: Final = 250 * KM
"""Within a country: from Dubrovnik past Neum to Split, say. Beyond it the way is left open."""
ARRIVED: Final = -1

Spot = tuple[float, float]


class Ground:
    """Where a way may run, and the corners that it bends at."""

    def __init__(self, ground: BaseGeometry, corners: Iterable[Spot]) -> None:
        self._ground = ground
        prepare(ground)
        self._corners = sorted(set(corners))
        self._seen: dict[int, list[tuple[int, float]]] = {}

    def way(self, start: Spot, end: Spot) -> list[Spot] | None:
        """The corners between two points; empty for a straight line, `None` where there is no way."""
        if self._visible(start, [end]):
            return []
        arrival = dict(self._visible(end, self._corners))
        shortest: dict[int, float] = {}
        # What is left is at least the straight line: the search goes towards the end and looks at few corners.
        queue = [(length + self._apart(n, end), length, (n,)) for n, length in self._visible(start, self._corners)]
        heapq.heapify(queue)
        while queue:
            _, length, path = heapq.heappop(queue)
            n = path[-1]
            if n == ARRIVED:
                return [self._corners[corner] for corner in path[:-1]]
            if length >= shortest.get(n, inf):
                continue
            shortest[n] = length
            if n in arrival:
                heapq.heappush(queue, (length + arrival[n], length + arrival[n], (*path, ARRIVED)))
            for other, step in self._from(n):
                if length + step < shortest.get(other, inf):
                    heapq.heappush(queue, (length + step + self._apart(other, end), length + step, (*path, other)))
        return None

    def _from(self, corner: int) -> list[tuple[int, float]]:
        if corner not in self._seen:
            self._seen[corner] = self._visible(self._corners[corner], self._corners)
        return self._seen[corner]

    def _apart(self, corner: int, end: Spot) -> float:
        x, y = self._corners[corner]
        return hypot(end[0] - x, end[1] - y)

    def _visible(self, start: Spot, ends: Sequence[Spot]) -> list[tuple[int, float]]:
        """Which of some points a straight line reaches, and how far they are."""
        if not ends:
            return []
        lines = linestrings([[start, end] for end in ends])
        clear = covers(self._ground, lines)
        return [(int(n), float(lines[n].length)) for n in np.flatnonzero(clear) if ends[n] != start]


def snap(crossing: Crossing, lands: Mapping[str, MultiPolygon]) -> Spot:
    """The crossing on the drawn border, which is simplified.

    Raises:
        ValueError: the two countries have no border there.
    """
    first, second = (lands[code] for code in crossing.countries)
    border = first.boundary.intersection(second.boundary)
    point = Point(crossing.at)
    if border.is_empty or point.distance(border) > FARTHEST_SNAP:
        message = f"{crossing.id}: {point.distance(border) / KM:.0f} km from the border"
        raise ValueError(message)
    on_it = nearest_points(border, point)[0]
    return on_it.x, on_it.y


def ways_of(
    lands: Mapping[str, MultiPolygon],
    places: Sequence[Place],
    crossings: Sequence[Crossing],
    middles: Mapping[str, Sequence[int]],
) -> dict[str, Any]:
    """Crossings put on the border, and the bends of every way that is not a straight line.

    `land` is by country, then `place id>crossing id`; a border's middle has the two codes for an id. `sea` is by the
    crossing's id, from the first country's port to the other's. A way that does not exist is `null`.
    """
    snapped = {crossing.id: snap(crossing, lands) for crossing in crossings if crossing.mode != "sea"}
    gates: dict[str, dict[str, Spot]] = defaultdict(dict)
    for crossing in crossings:
        for code in crossing.countries:
            if crossing.mode != "sea":
                gates[code][crossing.id] = snapped[crossing.id]
    for pair, (x, y) in middles.items():
        for code in pair.split():
            gates[code][pair] = (x, y)
    busy = {code for crossing in crossings for code in crossing.countries}
    by_country = defaultdict(list)
    for place in places:
        if place.country in busy:
            by_country[place.country].append(place)
    return {
        "crossings": {crossing: [round(x), round(y)] for crossing, (x, y) in sorted(snapped.items())},
        "land": {code: ways for code in sorted(lands) if (ways := _inside(code, lands, by_country[code], gates[code]))},
        "sea": {
            crossing.id: _flat(_ferry(crossing, lands, places)) for crossing in crossings if crossing.mode == "sea"
        },
    }


def _inside(
    code: str, lands: Mapping[str, MultiPolygon], places: Sequence[Place], gates: Mapping[str, Spot]
) -> dict[str, list[int] | None]:
    """The ways inside one country that are not straight: from its places to its gates."""
    land = lands[code]
    ground = Ground(land.buffer(SLACK), _corners(land.buffer(-MARGIN)) | _corners(land.buffer(-MARGIN / 3)))
    over_sea: Ground | None = None
    ways: dict[str, list[int] | None] = {}
    for place in places:
        start = place.at
        for name, end in gates.items():
            way = ground.way(start, end)
            if way is None and hypot(end[0] - start[0], end[1] - start[1]) < FARTHEST_OVER_SEA:
                over_sea = over_sea or _with_sea(code, lands)
                way = over_sea.way(start, end)
            if way != []:
                ways[f"{place.id}>{name}"] = _flat(way)
    return ways


def _with_sea(code: str, lands: Mapping[str, MultiPolygon]) -> Ground:
    """A country, its islands and the sea around them."""
    frame = box(*lands[code].bounds).buffer(60 * KM)
    others = union_all([land for other, land in lands.items() if other != code and land.intersects(frame)])
    ground = frame.difference(others.buffer(SLACK))
    return Ground(ground, _corners(frame.difference(others.buffer(MARGIN))))


def _ferry(crossing: Crossing, lands: Mapping[str, MultiPolygon], places: Sequence[Place]) -> list[Spot] | None:
    """The way of a ferry line, around every coast but those of its ports."""
    ports = [
        next(place for place in places if place.country == code and place.name == name)
        for code, name in zip(crossing.countries, crossing.names, strict=True)
    ]
    points = [Point(port.at) for port in ports]
    frame = box(*union_all(points).bounds).buffer(150 * KM)
    all_land = union_all([land.intersection(frame) for land in lands.values()])
    harbours = union_all(
        [point.buffer(HARBOUR).intersection(lands[port.country]) for point, port in zip(points, ports, strict=True)]
    )
    ground = frame.difference(all_land).union(harbours).buffer(SLACK / 4)
    return Ground(ground, _corners(frame.difference(all_land.buffer(MARGIN)))).way(ports[0].at, ports[1].at)


def _corners(ground: BaseGeometry) -> set[Spot]:
    """The corners of a ground that stick into it: a shortest way bends nowhere else."""
    corners: set[Spot] = set()
    rough = ground.simplify(2.5 * KM)
    for polygon in get_parts(rough):
        for ring in (orient_polygons(polygon).exterior, *orient_polygons(polygon).interiors):
            spots = ring.coords[:-1]
            for n, (x, y) in enumerate(spots):
                (a, b), (c, d) = spots[n - 1], spots[(n + 1) % len(spots)]
                if (x - a) * (d - y) - (y - b) * (c - x) < 0:  # a turn to the right, with the ground on the left
                    corners.add((round(x), round(y)))
    return corners


def _flat(way: Sequence[Spot] | None) -> list[int] | None:
    return None if way is None else [round(number) for spot in way for number in spot]
