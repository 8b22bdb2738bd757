"""The map's countries as polygons, for tests that ask what a line runs over."""

from __future__ import annotations

from functools import cache

from shapely import LineString, Polygon, unary_union
from shapely.geometry.base import BaseGeometry

from bridge.console.map.outlines import FINE, _ring_points, outlines
from bridge.console.map.projection import UNITS_PER_KM, Point

NEARLY_NOTHING_KM = 1.0


@cache
def land(code: str) -> BaseGeometry:
    """A country as it is drawn at the finest."""
    return unary_union(
        [Polygon(list(_ring_points(code, n, FINE))).buffer(0) for n in range(len(outlines().rings[code]))]
    )


@cache
def _heart(code: str) -> BaseGeometry:
    return land(code).buffer(-NEARLY_NOTHING_KM * UNITS_PER_KM)


def countries_under(line: tuple[Point, ...]) -> set[str]:
    """The countries that a line runs over, a kilometre along a border aside."""
    drawn = LineString(line)
    return {code for code in outlines().rings if _heart(code).intersects(drawn)}
