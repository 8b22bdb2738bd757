"""Reads a TopoJSON file: shared arcs, whole numbers, each point the difference to the one before."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from shapely import MultiPolygon, Polygon, get_parts, make_valid
from shapely.geometry.base import BaseGeometry

Degrees = tuple[float, float]
"""Longitude and latitude."""


@dataclass(frozen=True, slots=True)
class Part:
    """One shape of the atlas: its ISO 3166-1 number where it has one, its name there, its land in degrees."""

    number: str | None
    name: str
    land: MultiPolygon


def read_parts(topology: dict[str, Any]) -> list[Part]:
    """Every country and other part of the file's object `countries`."""
    arcs = _arcs(topology)
    return [
        Part(
            shape.get("id"),
            shape["properties"]["name"],
            _land([shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"], arcs),
        )
        for shape in topology["objects"]["countries"]["geometries"]
    ]


def _arcs(topology: dict[str, Any]) -> list[list[Degrees]]:
    (width, height), (west, south) = topology["transform"]["scale"], topology["transform"]["translate"]
    return [
        [
            (west + x * width, south + y * height)
            for x, y in accumulate(map(tuple, arc), lambda at, step: (at[0] + step[0], at[1] + step[1]))
        ]
        for arc in topology["arcs"]
    ]


def _ring(numbers: list[int], arcs: list[list[Degrees]]) -> list[Degrees]:
    """One closed line; a negative number is an arc run backwards, and arcs share their end points."""
    points: list[Degrees] = []
    for number in numbers:
        arc = arcs[number] if number >= 0 else arcs[~number][::-1]
        points += arc[1:] if points else arc
    return points


def _land(polygons: list[list[list[int]]], arcs: list[list[Degrees]]) -> MultiPolygon:
    rings = [[_ring(numbers, arcs) for numbers in polygon] for polygon in polygons]
    land = MultiPolygon([Polygon(shell, holes) for shell, *holes in rings if len(shell) > 3])  # noqa: PLR2004 - a ring
    return land_of(land)


def land_of(shape: BaseGeometry) -> MultiPolygon:
    """A shape's polygons and nothing else of it: a repair or a cut may leave lines and points behind."""
    parts = get_parts(get_parts(shape if shape.is_valid else make_valid(shape)))
    return MultiPolygon([part for part in parts if part.geom_type == "Polygon"])
