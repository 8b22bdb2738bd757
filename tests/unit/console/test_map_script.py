"""The steps that make the map's files, on an atlas of three countries; and that the files go with the tables."""

from __future__ import annotations

import json
import sys
from importlib.resources import files
from math import hypot
from pathlib import Path

import pytest
from map_polygons import land

from bridge.console.map.gazetteer import all_crossings, country_point
from bridge.console.map.letters import text_width
from bridge.console.map.outlines import outlines
from bridge.console.map.projection import UNITS_PER_KM, project

ROOT = Path(__file__).parents[3]
sys.path.insert(0, str(ROOT / "scripts"))

from mapping.countries import countries_in_degrees, flatten, read_viewpoint, simplify  # noqa: E402 - after the path
from mapping.outlines import outlines_of  # noqa: E402 - after the path
from mapping.topology import read_parts  # noqa: E402 - after the path

VIEWPOINT = read_viewpoint(ROOT / "bridge" / "console" / "map" / "viewpoint.toml")
# Serbia west and Kosovo* east of 20.5 E; a piece of Russia's where Crimea lies. In steps of a tenth of a degree.
ATLAS = {
    "transform": {"scale": [0.1, 0.1], "translate": [0.0, 40.0]},
    "arcs": [
        [[205, 20], [0, 5], [1, 5], [-1, 10]],
        [[205, 40], [-20, 0], [0, -20], [20, 0]],
        [[205, 20], [20, 0], [0, 20], [-20, 0]],
        [[340, 50], [10, 0], [0, 5], [-10, 0], [0, -5]],
        [[400, 100], [20, 0], [0, 20], [-20, 0], [0, -20]],
        [[300, 60], [20, 0], [0, 20], [-20, 0], [0, -20]],
    ],
    "objects": {
        "countries": {
            "geometries": [
                {"type": "Polygon", "id": "688", "properties": {"name": "Serbia"}, "arcs": [[0, 1]]},
                {"type": "Polygon", "properties": {"name": "Kosovo"}, "arcs": [[2, -1]]},
                {"type": "MultiPolygon", "id": "643", "properties": {"name": "Russia"}, "arcs": [[[3]], [[4]]]},
                {"type": "Polygon", "id": "804", "properties": {"name": "Ukraine"}, "arcs": [[5]]},
                {"type": "Polygon", "properties": {"name": "Nobody's reef"}, "arcs": [[5]]},
            ]
        }
    },
}


def test_the_viewpoint_says_whose_land_is_drawn() -> None:
    lands = countries_in_degrees(read_parts(ATLAS), VIEWPOINT)

    assert set(lands) == {"RS", "XK", "RU", "UA"}
    assert lands["UA"].bounds[3] == pytest.approx(48.0)
    assert lands["UA"].bounds[2] == pytest.approx(35.0)  # with Crimea
    assert lands["RU"].bounds[0] == pytest.approx(40.0)


def test_a_common_border_is_one_arc_after_it_was_simplified() -> None:
    levels = simplify(flatten(countries_in_degrees(read_parts(ATLAS), VIEWPOINT)))

    drawn = outlines_of(levels, (0.0, 0.0, 1.0, 1.0))

    (own,), (other,) = drawn["countries"]["RS"]["rings"], drawn["countries"]["XK"]["rings"]
    assert {~arc for arc in own} & set(other) or {~arc for arc in other} & set(own)
    assert list(drawn["middles"]) == ["RS XK"]
    assert all(set(levels) <= set("012") for levels in drawn["levels"])


def test_the_projection_keeps_areas_and_its_centre() -> None:
    east, north = project(45.0, 19.0), project(46.0, 18.0)

    assert project(45.0, 18.0) == (0.0, pytest.approx(0.0))
    assert hypot(*east) == pytest.approx(78.6 * UNITS_PER_KM, rel=0.01)
    assert north[1] == pytest.approx(-111.2 * UNITS_PER_KM, rel=0.01)
    assert land("HU").area / UNITS_PER_KM**2 == pytest.approx(93_000, rel=0.02)
    assert land("RO").area / UNITS_PER_KM**2 == pytest.approx(238_000, rel=0.02)


def test_the_generated_files_go_with_the_tables() -> None:
    ways = json.loads((files("bridge.console.map") / "generated" / "ways.json").read_text(encoding="utf-8"))
    by_land = {one.id: one.at for one in all_crossings() if one.mode != "sea"}

    assert set(ways["crossings"]) == set(by_land), "run scripts/map.py"
    assert set(ways["sea"]) == {one.id for one in all_crossings() if one.mode == "sea"}, "run scripts/map.py"
    for crossing, (x, y) in ways["crossings"].items():
        assert hypot(x - by_land[crossing][0], y - by_land[crossing][1]) <= 12 * UNITS_PER_KM


def test_disputed_land_is_drawn_as_the_viewpoint_says() -> None:
    assert outlines().disputed == {("RS", "XK")}
    crimea, northern_cyprus = project(45.2, 34.2), project(35.3, 33.4)
    from shapely import Point  # noqa: PLC0415 - for this test only

    assert land("UA").contains(Point(crimea))
    assert land("CY").contains(Point(northern_cyprus))
    assert country_point("XK") is not None


def test_letters_have_their_widths_in_every_alphabet_of_the_console() -> None:
    assert text_width("iiii", 10) < text_width("mmmm", 10)
    assert text_width("Đurđevac Žđ", 14, bold=True) > text_width("Đurđevac Žđ", 14)
    assert text_width("Скопје", 10) != text_width("??????", 10)
