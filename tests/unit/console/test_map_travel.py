from __future__ import annotations

from itertools import combinations

import pytest
from map_polygons import countries_under

from bridge.console.map.gazetteer import Crossing, Place, all_crossings, all_places, country_point, find_place
from bridge.console.map.legs import MapLeg
from bridge.console.map.outlines import outlines
from bridge.console.map.travel import course_of

CORE = sorted({code for one in all_crossings() for code in one.countries} & set(outlines().rings))


def point(code: str) -> Place:
    place = country_point(code)
    assert place is not None
    return place


def test_a_line_over_a_third_country_is_seen() -> None:
    assert countries_under((point("RS").at, point("AT").at)) > {"RS", "AT"}


@pytest.mark.parametrize("first", CORE)
def test_no_leg_between_any_two_countries_is_drawn_over_a_third(first: str) -> None:
    for second in CORE:
        if second != first:
            course = course_of(MapLeg(first, "", second, ""), point(first), point(second))

            for line in course.lines:
                assert countries_under(line) <= {first, second}, (first, second)
            if (min(first, second), max(first, second)) in outlines().middles:
                assert course.mark is not None


@pytest.mark.parametrize("crossing", all_crossings(), ids=lambda one: one.id)
def test_no_leg_over_any_crossing_from_any_place_is_drawn_over_a_third(crossing: Crossing) -> None:
    first, second = crossing.countries
    starts = [place for place in all_places() if place.country == first and place.kind != "airport"]
    ends = [place for place in all_places() if place.country == second and place.kind != "airport"]
    mode = {"sea": "maritime", "river": "inland_water"}.get(crossing.mode, crossing.mode)

    for n in range(max(len(starts), len(ends))):
        start, end = starts[n % len(starts)], ends[n % len(ends)]
        leg = MapLeg(first, start.name, second, end.name, " - ".join(crossing.names), mode=mode)
        course = course_of(leg, start, end)

        assert course.mark is not None
        for line in course.lines:
            assert countries_under(line) <= {first, second}, (start.id, end.id)


@pytest.mark.parametrize(
    ("first", "second", "crossing"), [("RS", "AT", ""), ("MD", "DE", ""), ("RS", "DE", "Horgoš"), ("BA", "IT", "")]
)
def test_countries_without_a_common_border_are_not_joined_over_land(first: str, second: str, crossing: str) -> None:
    course = course_of(MapLeg(first, "", second, "", crossing), point(first), point(second))

    assert course.is_open
    assert (course.mark is not None) is bool(crossing)


def test_a_ferry_goes_over_the_sea_only() -> None:
    start, end = find_place("AL", "ALDRZ"), find_place("IT", "Trieste")
    assert start is not None
    assert end is not None

    course = course_of(MapLeg("AL", "ALDRZ", "IT", "Trieste", "Durrës - Trieste", mode="maritime"), start, end)

    assert not course.is_open
    assert len(course.lines[0]) > 2  # around Istria
    assert countries_under(course.lines[0]) <= {"AL", "IT"}


def test_a_boat_between_two_coasts_goes_straight() -> None:
    start, end = find_place("AL", "Vlorë"), find_place("IT", "Brindisi")
    assert start is not None
    assert end is not None

    course = course_of(MapLeg("AL", "Vlorë", "IT", "Brindisi", mode="maritime"), start, end)

    assert course.lines == ((start.at, end.at),)


def test_a_flight_over_others_has_two_ends_and_no_line() -> None:
    start, end = find_place("MD", "MDKIV"), find_place("IT", "ITMIL")
    assert start is not None
    assert end is not None

    course = course_of(MapLeg("MD", "MDKIV", "IT", "ITMIL", "MDKIV", mode="air"), start, end)

    assert course.is_open
    assert course.lines == ()


def test_neighbours_without_a_known_crossing_meet_at_the_middle_of_their_border() -> None:
    course = course_of(MapLeg("RS", "", "HU", "", "by the old mill"), point("RS"), point("HU"))

    assert course.mark is not None
    assert not course.mark.is_named
    assert course.mark.at == outlines().middles["HU", "RS"]
    assert course.mark.label == "by the old mill"


def test_every_pair_of_neighbours_has_a_middle() -> None:
    pairs = {pair for pair in combinations(CORE, 2) if pair in outlines().middles}

    assert {tuple(one.countries) for one in all_crossings() if one.mode != "sea"} <= pairs
