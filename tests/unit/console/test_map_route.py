from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from bridge.console.language import words_of
from bridge.console.map.figure import route_svg
from bridge.console.map.legs import MapLeg, legs_of_body
from bridge.console.map.route import Shape, draw_route
from bridge.console.map.stops import stops_of

FILES = sorted((Path(__file__).parents[3] / "examples" / "alerts").glob("[0-9]*.json"))
EXAMPLES = [path for path in FILES if '"legs"' in path.read_text()]
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\u202e\u2066\x00" + 'x"onload="' + "A" * 10_000


def parsed(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - our own output


def texts(svg: str, kind: str) -> list[str]:
    return [it.text or "" for it in parsed(svg).iter(f"{SVG}text") if kind in it.attrib["class"].split()]


def body(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(path for path in EXAMPLES if path.name.startswith(name)).read_text())[
        "body"
    ]
    return found


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("file", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_is_drawn_without_script_and_style(file: Path, shape: Shape) -> None:
    members = json.loads(file.read_text())["body"]

    svg = draw_route(legs_of_body(members), own="RS", words=words_of("en"), shape=shape)

    root = parsed(svg)
    assert {name for it in root.iter() for name in it.attrib if name.startswith("on") or name == "style"} == set()
    assert {it.tag.removeprefix(SVG) for it in root.iter()} <= {
        *("svg", "title", "desc", "rect", "g", "path", "use", "circle", "text")
    }
    assert len(svg) < 120_000


def test_what_a_message_says_is_a_text_and_nothing_else() -> None:
    legs = [MapLeg("RS", HOSTILE, "HU", HOSTILE, HOSTILE), MapLeg(HOSTILE, HOSTILE, "<b>", "", "")]

    svg = draw_route(legs, own="RS", words=words_of("en"))

    assert "<script" not in svg
    assert "\u202e" not in svg
    assert "\x00" not in svg
    assert all(len(text) <= 42 for text in texts(svg, "place"))
    assert parsed(svg).find(f"{SVG}desc") is not None


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"legs": None},
        {"legs": "unknown"},
        {"legs": [1, None, {}, {"from": "RS"}, {"from": {"country": 3}}]},
        {"legs": [{"from": {"country": "ZZ"}, "to": {"country": "unknown"}}]},
        {"legs": [{"from": {}, "to": {}, "roles": [], "confirmed": "yes"}]},
    ],
)
def test_a_body_without_anything_to_draw_has_no_map(members: dict[str, Any]) -> None:
    assert route_svg(members, words_of("en"), "RS") == ""


def test_half_a_leg_is_drawn_with_what_it_has() -> None:
    svg = route_svg({"legs": [{"from": {"country": "RS"}, "to": {"country": "unknown"}}]}, words_of("en"), "RS")

    assert "Serbia" in svg
    assert 'class="map-wide"' in svg
    assert 'class="map-phone"' in svg


def test_stops_are_numbered_in_order_and_say_their_roles() -> None:
    svg = draw_route(legs_of_body(body("01")), own="HU", words=words_of("en"))

    assert sorted(texts(svg, "number")) == ["1", "2", "3"]
    assert texts(svg, "origin")[0]
    assert {"Leskovac", "Szeged", "Vienna"} <= set(texts(svg, "place"))
    assert "HUNGARY" in texts(svg, "own")


def test_a_place_that_is_visited_again_has_two_numbers() -> None:
    legs = [MapLeg("RS", "Subotica", "HU", "Szeged"), MapLeg("HU", "HU-nowhere", "RS", "Subotica")]

    stops, _ = stops_of(legs)

    assert [stop.numbers for stop in stops if stop.name == "Subotica"] == [[1, 4]]


def test_a_leg_that_goes_on_from_a_country_goes_on_from_its_stop() -> None:
    stops, ends = stops_of([MapLeg("RS", "", "HU", "HUBUD"), MapLeg("HU", "", "AT", "Wien")])

    assert [(stop.country, stop.role) for stop in stops] == [("RS", "origin"), ("HU", "transit"), ("AT", "destination")]
    assert ends[1][0] is ends[0][1]
    assert not stops[0].is_placed


def test_confirmed_and_suspected_differ_in_their_line_and_in_the_legend() -> None:
    legs = [MapLeg("RS", "", "HU", "HUBUD", confirmed=True), MapLeg("HU", "HUBUD", "AT", "Wien", confirmed=False)]

    svg = draw_route(legs, own="RS", words=words_of("en"))

    assert 'class="leg confirmed"' in svg
    assert 'class="leg suspected"' in svg
    assert {"Confirmed", "Suspected", "Crossing not known", "Position not known"} <= set(texts(svg, "legend-text"))


def test_a_place_out_of_the_map_stands_at_its_edge_with_its_country() -> None:
    svg = draw_route([MapLeg("NG", "Lagos", "IT", "ITROM", mode="air")], own="IT", words=words_of("en"))

    assert "Lagos, Nigeria" in texts(svg, "place")
    assert "Outside this map" in texts(svg, "legend-text")


def test_the_note_on_kosovo_stands_under_every_map() -> None:
    assert "UNSCR 1244" in route_svg(body("07"), words_of("en"), "RS")
    assert 'class="border disputed"' in route_svg(body("07"), words_of("en"), "RS")


def test_the_same_route_is_drawn_the_same() -> None:
    first, second = (route_svg(body("03"), words_of("sq"), "RO", region=True) for _ in range(2))

    assert first == second
    assert len(set(parse_ids(first))) == len(parse_ids(first))


def parse_ids(html: str) -> list[str]:
    return [it.attrib["id"] for it in parsed(html).iter() if "id" in it.attrib]
