"""What of an alert decides its recipients: countries with their roles, crossings, exploitation, children.

A country has the roles of its positions and those the author gave: where nothing led there it is an origin, where
something leads there and on from there a transit, where a journey ends a destination. Routes loop (victims are rotated),
so a country may hold several roles, and a route that returns keeps its origin and gains a destination.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.core.messages import Leg, RouteAlertBody

ORIGIN: Final = "origin"
TRANSIT: Final = "transit"
DESTINATION: Final = "destination"
ROLE_ORDER: Final = (ORIGIN, TRANSIT, DESTINATION)


@dataclass(frozen=True, slots=True)
class Corridor:
    """The part of an alert that routing looks at.

    Attributes:
        roles: country -> its roles, in the order origin, transit, destination; countries in order of travel.
        crossings: country -> the border crossing points named on legs that touch it.
        exploitation: the forms of exploitation.
        child_involved: whether any victim is a child.
    """

    roles: Mapping[str, tuple[str, ...]]
    crossings: Mapping[str, frozenset[str]]
    exploitation: frozenset[str]
    child_involved: bool


def corridor_of(alert: RouteAlertBody) -> Corridor:
    """The corridor of a route alert or of an update's new body."""
    return Corridor(
        roles=_roles(alert.legs),
        crossings=_crossings(alert.legs),
        exploitation=frozenset(str(form) for form in alert.exploitation),
        child_involved=alert.child_involved,
    )
