"""Places and border crossings by name or UN/LOCODE, from two curated tables beside this file.

What is asked for comes out of messages: any text, in any spelling, of any length. It is compared without case, accents
and punctuation; what is not in the tables is `None`, never a guess.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from bridge.console.map.projection import Point, project
from bridge.core.countries import COUNTRY_CODES, country_name

LONGEST_NAME: Final = 200  # of what is looked up: the schema's own limit for a place
_HERE: Final = files("bridge.console.map")
# Letters that Unicode does not take apart into a plain one and an accent.
_PLAIN: Final = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ı": "i", "æ": "ae"})  # noqa: RUF001 - the letter
_BETWEEN_NAMES: Final = re.compile(r"\s*[–—/]\s*|\s+-\s+")  # noqa: RUF001 - dashes as people type them


@dataclass(frozen=True, slots=True)
class Place:
    """A town, port or airport, or a whole country's one point.

    Attributes:
        id: unique; what ways are stored under.
        country: ISO 3166-1 alpha-2, or XK.
        kind: capital, city, town, port, airport or country.
        at: in map units.
    """

    id: str
    country: str
    name: str
    names: frozenset[str]
    locode: str
    kind: str
    at: Point


@dataclass(frozen=True, slots=True)
class Crossing:
    """A border crossing, or a ferry line: then it lies at the middle of its way over the sea.

    Attributes:
        countries: the two, in alphabetical order; `names` are in the same order.
        mode: road, rail, river or sea.
        at: in map units.
    """

    id: str
    countries: tuple[str, str]
    names: tuple[str, str]
    spellings: tuple[frozenset[str], frozenset[str]]
    mode: str
    at: Point

    @property
    def label(self) -> str:
        """Both names, once where both sides call it the same."""
        first, second = self.names
        return first if first == second else f"{first} – {second}"  # noqa: RUF001 - a dash between names


def fold(text: str) -> str:
    """A name as it is compared: no case, no accents, no punctuation."""
    plain = unicodedata.normalize("NFKD", text[:LONGEST_NAME].casefold()).translate(_PLAIN)
    letters = "".join(letter if letter.isalnum() else " " for letter in plain if not unicodedata.combining(letter))
    return " ".join(letters.split())


def crossings_between(first: str, second: str) -> Sequence[Crossing]:
    """The crossings between two countries, in either order, by name; none where they have no border in common."""
    return _crossings().get(_pair(first, second), ())


def border_pairs() -> Sequence[tuple[str, str]]:
    """Every two countries that the table has a crossing or a ferry line for."""
    return tuple(sorted(_crossings()))


def find_crossing(first: str, second: str, text: str, mode: str = "") -> Crossing | None:
    """The crossing between two countries that a text names: by both names or by one, in either order.

    Args:
        first: a country's code.
        second: the other's.
        text: `Horgoš - Röszke`, `Suben`.
        mode: road, rail, river or sea, where it is known: it decides between two crossings of one name.
    """
    parts = [fold(part) for part in _BETWEEN_NAMES.split(text[:LONGEST_NAME])]
    parts = [part for part in parts if part]
    found = [crossing for crossing in crossings_between(first, second) if _is_named(crossing, parts)]
    return min(found, key=lambda crossing: (crossing.mode != mode, crossing.mode != "road"), default=None)


def find_place(country: str, text: str) -> Place | None:
    """The place of a country that a text names: its name in any spelling of the table, or its UN/LOCODE."""
    return _places_by_name().get((country, fold(text)))


def country_point(country: str) -> Place | None:
    """One point for a whole country: where a leg ends whose place is unknown. `None` for what is no country."""
    return _country_points().get(country)


def all_places() -> Sequence[Place]:
    """Every place of the table, without the points of whole countries."""
    return tuple(_places())


def all_crossings() -> Sequence[Crossing]:
    """Every crossing of the table."""
    return tuple(crossing for crossings in _crossings().values() for crossing in crossings)


def _is_named(crossing: Crossing, parts: Sequence[str]) -> bool:
    first, second = crossing.spellings
    match parts:
        case [one]:
            return one in first or one in second
        case [one, other]:
            return (one in first and other in second) or (one in second and other in first)
        case _:
            return False


def _pair(first: str, second: str) -> tuple[str, str]:
    return min(first, second), max(first, second)


def _rows(name: str) -> Iterator[dict[str, str]]:
    yield from csv.DictReader((_HERE / name).read_text(encoding="utf-8").splitlines())


def _spellings(names: Iterable[str]) -> frozenset[str]:
    return frozenset(fold(name) for name in names if name)


def place_id(country: str, name: str) -> str:
    """What a place's ways are stored under."""
    return f"{country}:{fold(name)}"


@cache
def _points() -> Mapping[str, Mapping[str, Point]]:
    """Points of countries, and of places that are drawn beside where they lie: outlines are simplified."""
    stored: dict[str, dict[str, list[int]]] = json.loads(
        (_HERE / "generated" / "points.json").read_text(encoding="utf-8")
    )
    return {name: {key: (x, y) for key, (x, y) in points.items()} for name, points in stored.items()}


@cache
def _places() -> tuple[Place, ...]:
    moved = _points()["moved"]
    return tuple(
        Place(
            id=(one := place_id(row["country"], row["name"])),
            country=row["country"],
            name=row["name"],
            names=_spellings([row["name"], row["locode"], *row["other_names"].split("|")]),
            locode=row["locode"],
            kind=row["kind"],
            at=moved.get(one) or project(float(row["latitude"]), float(row["longitude"])),
        )
        for row in _rows("places.csv")
    )


@cache
def _places_by_name() -> Mapping[tuple[str, str], Place]:
    """A name that a town and its airport share is the town's: it stands first."""
    found: dict[tuple[str, str], Place] = {}
    for place in _places():
        for name in place.names:
            found.setdefault((place.country, name), place)
    return found


@cache
def _country_points() -> Mapping[str, Place]:
    points: dict[str, Point] = {place.country: place.at for place in reversed(_places())}
    points |= _points()["countries"]
    return {
        code: Place(f"{code}:", code, country_name(code), frozenset(), "", "country", at)
        for code, at in points.items()
        if code in COUNTRY_CODES
    }


@cache
def _crossings() -> Mapping[tuple[str, str], tuple[Crossing, ...]]:
    found: dict[tuple[str, str], list[Crossing]] = defaultdict(list)
    for row in _rows("crossings.csv"):
        first, second = ([row[f"name_{side}"], *row[f"other_names_{side}"].split("|")] for side in "ab")
        crossing = Crossing(
            id=row["id"],
            countries=(row["country_a"], row["country_b"]),
            names=(first[0], second[0]),
            spellings=(_spellings(first), _spellings(second)),
            mode=row["mode"],
            at=project(float(row["latitude"]), float(row["longitude"])),
        )
        found[crossing.countries].append(crossing)
    return {pair: tuple(sorted(crossings, key=lambda one: one.label)) for pair, crossings in found.items()}
