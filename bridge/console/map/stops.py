"""The places of a route in order of travel, each once, with its number and role."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.console.map.gazetteer import Place, country_point, find_place, fold
from bridge.console.map.legs import MapLeg
from bridge.core.countries import country_name

ORIGIN: Final = "origin"
TRANSIT: Final = "transit"
DESTINATION: Final = "destination"


@dataclass(slots=True)
class Stop:
    """One place of a route.

    Attributes:
        name: what the message says, or the table's name for a UN/LOCODE; empty where it is unknown.
        place: where it is drawn; the country's one point where the place is unknown; `None` for no country at all.
        numbers: of the visits, from 1.
        role: origin, transit or destination.
    """

    country: str
    name: str
    place: Place | None
    numbers: list[int] = field(default_factory=list)
    role: str = TRANSIT

    @property
    def is_placed(self) -> bool:
        """Whether the message names a place that the table has."""
        return self.place is not None and self.place.kind != "country"


def stops_of(legs: Sequence[MapLeg]) -> tuple[list[Stop], list[tuple[Stop, Stop]]]:
    """Every stop, and for each leg the two that it joins.

    A leg starts at an earlier stop of the same country and place; where it does not say the place, at the newest of
    that country. A place that is visited again is one stop with two numbers.
    """
    stops: list[Stop] = []
    ends: list[tuple[Stop, Stop]] = []
    count = 0
    for leg in legs:
        start = _known(stops, leg.from_country, leg.from_place)
        if start is None:
            count += 1
            start = _new(stops, leg.from_country, leg.from_place, count)
        end = _known(stops, leg.to_country, leg.to_place) if leg.to_place else None
        count += 1
        if end is None or end is start:
            end = _new(stops, leg.to_country, leg.to_place, count)
        else:
            end.numbers.append(count)
        ends.append((start, end))
    _give_roles(legs, ends)
    return stops, ends


def _known(stops: Sequence[Stop], country: str, name: str) -> Stop | None:
    """The newest stop that a name means; none named means the newest of the country, and so does a nameless stop."""
    for stop in reversed(stops):
        if stop.country == country and (not name or not stop.name or _is_same(stop, country, name)):
            if name and not stop.name:
                stop.name, stop.place = _label(country, name), _placed(country, name)
            return stop
    return None


def _is_same(stop: Stop, country: str, name: str) -> bool:
    return fold(stop.name) == fold(name) or (stop.is_placed and stop.place == find_place(country, name))


def _new(stops: list[Stop], country: str, name: str, count: int) -> Stop:
    stops.append(Stop(country, _label(country, name), _placed(country, name), [count]))
    return stops[-1]


def _label(country: str, name: str) -> str:
    place = find_place(country, name)
    return place.name if place is not None and fold(name) == place.locode.casefold() else name


def _placed(country: str, name: str) -> Place | None:
    if country_name(country) == country:
        return None
    return find_place(country, name) or country_point(country)


def _give_roles(legs: Sequence[MapLeg], ends: Sequence[tuple[Stop, Stop]]) -> None:
    """The first stop is the origin, one that no leg leaves a destination; what the author states goes before."""
    left = [start for start, _ in ends]
    for _, end in ends:
        if not any(end is start for start in left):
            end.role = DESTINATION
    if ends:
        ends[0][0].role = ORIGIN
        if ends[-1][1].role != ORIGIN:
            ends[-1][1].role = DESTINATION
    for leg, (start, end) in zip(legs, ends, strict=True):
        if ORIGIN in leg.from_roles:
            start.role = ORIGIN
        if DESTINATION in leg.to_roles:
            end.role = DESTINATION
