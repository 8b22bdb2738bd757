"""Applies the viewpoint file: which land is drawn as which country's, on the flat map."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pycountry
from shapely import MultiPolygon, box, coverage_simplify, segmentize, transform, union_all

from bridge.console.map.projection import UNITS_PER_KM, project
from bridge.core.countries import COUNTRY_CODES
from mapping.topology import Part, land_of

NEAR: Final = box(-45.0, 15.0, 80.0, 75.0)
"""In degrees: what is looked at. It is wider than the map, whose edges are straight lines on the flat map instead."""
WINDOW: Final = box(-24_500, -13_800, 24_500, 14_500)
"""In map units: what is drawn. Portugal, Denmark, Lithuania, the Caucasus, Crete and Cyprus are inside."""
TOLERANCES_KM: Final = (1.6, 3.6, 9.0)
"""How much a line may be simplified, fine, medium and coarse (as shapely counts: the root of a corner's area)."""
SMALLEST_ISLAND_KM2: Final = 12.0

Lands = Mapping[str, MultiPolygon]


def read_viewpoint(file: Path) -> dict[str, Any]:
    """The viewpoint file, as it stands."""
    return tomllib.loads(file.read_text(encoding="utf-8"))


def countries_in_degrees(parts: Sequence[Part], viewpoint: Mapping[str, Any]) -> dict[str, MultiPolygon]:
    """Each country's land by code, all over the world."""
    pieces: dict[str, list[MultiPolygon]] = defaultdict(list)
    for part in parts:
        pieces[_code(part, viewpoint["parts"])].append(part.land)
    pieces.pop("", None)
    lands = {code: land_of(union_all(lands)) if len(lands) > 1 else lands[0] for code, lands in pieces.items()}
    for move in viewpoint["moved"]:
        frame = box(move["west"], move["south"], move["east"], move["north"])
        polygons = list(lands[move["from"]].geoms)
        moved = [polygon for polygon in polygons if frame.contains(polygon)]
        lands[move["from"]] = MultiPolygon([polygon for polygon in polygons if not frame.contains(polygon)])
        lands[move["to"]] = land_of(union_all([lands[move["to"]], *moved]))
    return lands


def _code(part: Part, names: Mapping[str, str]) -> str:
    """The country a part is drawn as; empty where nobody's code fits (reefs, bases, ice)."""
    if part.name in names:
        return names[part.name]
    country = pycountry.countries.get(numeric=part.number) if part.number else None
    return country.alpha_2 if country is not None and country.alpha_2 in COUNTRY_CODES else ""


def _flat(points: np.ndarray) -> np.ndarray:
    return np.array([project(latitude, longitude) for longitude, latitude in points])


def flatten(lands: Lands) -> dict[str, MultiPolygon]:
    """The countries of the window on the flat map, in map units, without the smallest islands."""
    flat: dict[str, MultiPolygon] = {}
    for code, land in sorted(lands.items()):
        near = land_of(land.intersection(segmentize(NEAR, 1.0)))
        drawn = land_of(land_of(transform(near, _flat)).intersection(WINDOW))
        if not drawn.is_empty:
            flat[code] = _without_islets(drawn)
    return flat


def _without_islets(land: MultiPolygon) -> MultiPolygon:
    """The smallest islands go, but never a whole country."""
    polygons = sorted(land.geoms, key=lambda polygon: -polygon.area)
    smallest = SMALLEST_ISLAND_KM2 * UNITS_PER_KM**2
    return MultiPolygon([polygon for n, polygon in enumerate(polygons) if n == 0 or polygon.area > smallest])


def simplify(lands: Lands) -> list[dict[str, MultiPolygon]]:
    """The countries three times: fine, medium and coarse.

    Common borders stay common, and the points of a coarser one are some of those of a finer one.
    """
    levels, shapes = [], list(lands.values())
    for tolerance in TOLERANCES_KM:
        shapes = list(coverage_simplify(shapes, tolerance * UNITS_PER_KM))
        levels.append(dict(zip(lands, map(land_of, shapes), strict=True)))
    return levels
