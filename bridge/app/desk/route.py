"""The route of an alert as it is shown: its countries with their roles, and the way from stop to stop.

It reads the members as they came, so that a route of a newer version is shown too. Whatever is not what it should be is
passed over: deciding what may be sent is the work of `bridge.core.messages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

Members = Mapping[str, object]

ORIGIN: Final = "origin"
TRANSIT: Final = "transit"
DESTINATION: Final = "destination"


@dataclass(frozen=True, slots=True)
class Stop:
    """One end of a leg. `number` counts the stops in order of travel."""

    number: int
    country: str
    place: str
    event: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """One leg: where it starts, where it ends, and everything that it says about the way."""

    start: Stop
    end: Stop
    leg: Members
    is_confirmed: bool
    goes_on: bool  # it starts where the stretch before it ended


def legs_of(body: Members) -> Sequence[Members]:
    """The legs that a body has, in order of travel."""
    return objects(body.get("legs"))


def countries_of(body: Members) -> Sequence[tuple[str, str]]:
    """Each country once, in order of travel, with the role that its place in the route gives it."""
    legs = [(_country(leg, "from"), _country(leg, "to")) for leg in legs_of(body)]
    roles: dict[str, str] = {}
    for index, (start, end) in enumerate(legs):
        roles.setdefault(start, ORIGIN)
        leads_on = any(later == end for later, _ in legs[index + 1 :])
        if roles.get(end) != ORIGIN:
            roles[end] = TRANSIT if leads_on else DESTINATION
    return [(country, role) for country, role in roles.items() if country]


def stretches_of(body: Members) -> Sequence[Stretch]:
    """The way from stop to stop."""
    roles = dict(countries_of(body))
    stretches: list[Stretch] = []
    known: dict[tuple[str, str], int] = {}
    for leg in legs_of(body):
        start, end = (_stop(leg, side, roles, known) for side in ("from", "to"))
        last = stretches[-1].end if stretches else None
        goes_on = last is not None and last.number == start.number
        stretches.append(Stretch(start, end, leg, is_confirmed=leg.get("confirmed") is True, goes_on=goes_on))
    return stretches


def objects(value: object) -> Sequence[Members]:
    """The objects of a list; nothing where it is none."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def inner(members: Members, name: str) -> Members:
    """A member that is an object; an empty one where it is none."""
    value = members.get(name)
    return value if isinstance(value, Mapping) else {}


def text(members: Members, name: str) -> str:
    """A member that is text; nothing where it is none."""
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _stop(leg: Members, side: str, roles: Mapping[str, str], known: dict[tuple[str, str], int]) -> Stop:
    end = inner(leg, side)
    country, place = text(end, "country"), text(end, "place")
    number = known.setdefault((country, place), len(known) + 1)
    stated = inner(leg, "roles").get(side)
    more = [role for role in stated if isinstance(role, str)] if isinstance(stated, list) else []
    said = dict.fromkeys([*([roles[country]] if country in roles else []), *more])
    return Stop(number, country, place, text(end, "event"), tuple(said))


def _country(leg: Members, side: str) -> str:
    return text(inner(leg, side), "country")
