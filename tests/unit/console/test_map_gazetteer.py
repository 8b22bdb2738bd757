from __future__ import annotations

import csv
from collections import Counter
from importlib.resources import files

import pytest
from map_polygons import land
from shapely import Point

from bridge.console.map.gazetteer import (
    Crossing,
    Place,
    all_crossings,
    all_places,
    border_pairs,
    country_point,
    crossings_between,
    find_crossing,
    find_place,
)
from bridge.console.map.outlines import outlines
from bridge.console.map.projection import UNITS_PER_KM
from bridge.core.countries import COUNTRY_CODES

REGION = {"AL", "BA", "BG", "HR", "XK", "MK", "ME", "MD", "RO", "RS", "HU"}
BORDER_KM = 12.0


def test_the_region_has_its_crossings_each_once_and_with_names() -> None:
    crossings = all_crossings()

    assert len([one for one in crossings if REGION & set(one.countries)]) >= 110
    assert [name for name, count in Counter(one.id for one in crossings).items() if count > 1] == []
    assert all(all(one.names) for one in crossings)
    assert {one.mode for one in crossings} == {"road", "rail", "river", "sea"}


@pytest.mark.parametrize("crossing", [one for one in all_crossings() if one.mode != "sea"], ids=lambda one: one.id)
def test_a_crossing_lies_on_the_border_of_its_two_countries(crossing: Crossing) -> None:
    first, second = map(land, crossing.countries)

    # The two outlines share their border point by point.
    border = first.boundary.intersection(second.boundary)

    assert Point(crossing.at).distance(border) <= BORDER_KM * UNITS_PER_KM


def test_a_ferry_line_joins_two_ports_of_the_table() -> None:
    for line in (one for one in all_crossings() if one.mode == "sea"):
        for country, name in zip(line.countries, line.names, strict=True):
            assert find_place(country, name) is not None, line.id


def test_every_country_has_a_point_and_the_region_has_places() -> None:
    assert {code for code in COUNTRY_CODES if country_point(code) is None} <= {"AQ"}
    assert len([place for place in all_places() if place.country in REGION]) >= 150
    assert len({place.id for place in all_places()}) == len(all_places())


@pytest.mark.parametrize("place", [one for one in all_places() if one.country in REGION], ids=lambda one: one.id)
def test_a_place_lies_in_its_country(place: Place) -> None:
    assert land(place.country).distance(Point(place.at)) <= 4 * UNITS_PER_KM


@pytest.mark.parametrize(
    ("text", "name"),
    [("MDKIV", "Chișinău"), ("chisinau", "Chișinău"), ("  CHIȘINĂU ", "Chișinău"), ("Kishinev", "Chișinău")],
)
def test_a_place_is_found_in_any_spelling(text: str, name: str) -> None:
    place = find_place("MD", text)

    assert place is not None
    assert place.name == name


@pytest.mark.parametrize("text", ["", "?", "Atlantis", "x" * 10_000, "\u202e", "<b>", "Chișinău, Strada 1"])
def test_what_is_not_in_the_table_is_not_guessed(text: str) -> None:
    assert find_place("MD", text) is None
    assert find_crossing("MD", "RO", text) is None


@pytest.mark.parametrize(
    ("countries", "text", "mode", "found"),
    [
        (("RS", "HU"), "Horgoš - Röszke", "road", "hu-rs-roszke-horgos"),
        (("HU", "RS"), "Röszke–Horgoš", "rail", "hu-rs-roszke-horgos-rail"),  # noqa: RUF001 - as people type it
        (("AT", "DE"), "Suben", "", "at-de-suben-pocking"),
        (("RO", "HU"), "Nadlac II - Csanadpalota", "road", "hu-ro-csanadpalota-nadlac-ii"),
        (("AL", "IT"), "Durrës - Bari", "sea", "al-it-durres-bari-sea"),
        (("AL", "XK"), "Morinë - Vërmicë", "road", "al-xk-morine-vermice"),
        (("RS", "HU"), "Suben", "road", None),
        (("RS", "HU"), "Horgoš - Röszke - Subotica", "road", None),
    ],
)
def test_a_crossing_is_found_by_what_people_write(
    countries: tuple[str, str], text: str, mode: str, found: str | None
) -> None:
    crossing = find_crossing(*countries, text, mode)

    assert (crossing.id if crossing else None) == found


def test_crossings_are_listed_by_border_in_either_order() -> None:
    assert crossings_between("RS", "HU") == crossings_between("HU", "RS")
    assert crossings_between("RS", "DE") == ()
    assert ("HU", "RS") in border_pairs()
    joined_by_land = {tuple(one.countries) for one in all_crossings() if one.mode != "sea"}
    assert joined_by_land <= set(outlines().middles)


def test_the_tables_have_no_word_in_two_alphabets() -> None:
    import unicodedata  # noqa: PLC0415 - for this test only

    for table in ("crossings.csv", "places.csv"):
        text = (files("bridge.console.map") / table).read_text(encoding="utf-8")
        words = [word for row in csv.reader(text.splitlines()) for cell in row for word in cell.split("|")]
        mixed = [w for w in words if len({unicodedata.name(c).split()[0] for c in w if c.isalpha()}) > 1]
        assert mixed == []
