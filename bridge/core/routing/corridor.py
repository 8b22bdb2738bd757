"""What of an alert decides its recipients: countries with their roles, crossings, exploitation, children.

A country has the roles of its positions and those the author gave: where nothing led there it is an origin, where
something leads there and on from there a transit, where a journey ends a destination. Routes loop (victims are
rotated), so a country may hold several roles, and a route that returns keeps its origin and gains a destination.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Protocol

from bridge.core.messages import Leg

ORIGIN: Final = "origin"
TRANSIT: Final = "transit"
DESTINATION: Final = "destination"
ROLE_ORDER: Final = (ORIGIN, TRANSIT, DESTINATION)

_SIDES: Final = re.compile(r"/|\s[-\u2013\u2014]\s")


class TravelledAlert(Protocol):
    """What routing reads of the body of a route alert or an update."""

    @property
    def legs(self) -> Sequence[Leg]:
        """The legs in order of travel."""

    @property
    def exploitation(self) -> Iterable[str]:
        """The forms of exploitation."""

    @property
    def child_involved(self) -> bool:
        """Whether any victim is, or is presumed to be, a child."""


@dataclass(frozen=True, slots=True)
class Corridor:
    """The part of an alert that routing looks at. The empty one is that of a cancellation, which names no route.

    Attributes:
        roles: country -> its roles, in the order origin, transit, destination; countries in order of travel.
        crossings: country -> the keys (`crossing_keys`) of the border crossing points named on legs that touch it.
        exploitation: the forms of exploitation.
        child_involved: whether any victim is a child.
    """

    roles: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    crossings: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    exploitation: frozenset[str] = frozenset()
    child_involved: bool = False


def corridor_of(alert: TravelledAlert | None) -> Corridor:
    """The corridor of a route alert or of an update's new body; of a cancellation (`None`), the empty one."""
    if alert is None:
        return Corridor()
    return Corridor(
        roles=MappingProxyType(_roles(alert.legs)),
        crossings=MappingProxyType(_crossings(alert.legs)),
        exploitation=frozenset(str(form) for form in alert.exploitation),
        child_involved=alert.child_involved,
    )


def crossing_keys(name: str) -> frozenset[str]:
    """What two spellings of one border crossing have in common: case, accents and blanks aside (`Horgoš`, `HORGOS`).

    A crossing has a name on each side of the border. Where both are given, joined by a slash or a dash between blanks
    (`Horgoš - Röszke`), each is a key.
    """
    return frozenset(key for side in _SIDES.split(name) if (key := _plain(side)))


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter) and not letter.isspace())


def _roles(legs: Sequence[Leg]) -> dict[str, tuple[str, ...]]:
    found: dict[str, set[str]] = {}
    for index, leg in enumerate(legs):
        start, end = leg.from_.country, leg.to.country
        led_there = any(earlier.to.country == start for earlier in legs[:index])
        leads_on = any(later.from_.country == end for later in legs[index + 1 :])
        given = leg.roles
        found.setdefault(start, set()).update({TRANSIT if led_there else ORIGIN}, given.from_ if given else ())
        found.setdefault(end, set()).update({TRANSIT if leads_on else DESTINATION}, given.to if given else ())
    return {country: tuple(role for role in ROLE_ORDER if role in roles) for country, roles in found.items()}


def _crossings(legs: Sequence[Leg]) -> dict[str, frozenset[str]]:
    named: dict[str, frozenset[str]] = {}
    for leg in legs:
        if leg.crossing_point is not None:
            for country in (leg.from_.country, leg.to.country):
                named[country] = named.get(country, frozenset()) | crossing_keys(leg.crossing_point)
    return named
