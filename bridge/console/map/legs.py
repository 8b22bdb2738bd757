"""The legs of a route as the map draws them, out of a message's body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

MOST_LEGS: Final = 32
AIR: Final = "air"
SEA: Final = "maritime"
# The vocabulary's transport modes, and the mode of a crossing that goes with each.
_CROSSING_MODES: Final[Mapping[str, str]] = {
    "road": "road", "rail": "rail", "maritime": "sea", "inland_water": "river", "air": "air",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MapLeg:
    """One stretch of a route.

    Attributes:
        from_country: ISO 3166-1 alpha-2 or XK; anything else is shown by name and has no place on the map.
        from_place: a name or UN/LOCODE; empty where it is unknown.
        crossing: a name or UN/LOCODE; empty where it is unknown.
        confirmed: or else suspected.
        mode: the vocabulary's transport mode.
        from_roles: stated roles of the first country on the route; `to_roles` of the second.
    """

    from_country: str
    from_place: str
    to_country: str
    to_place: str
    crossing: str = ""
    confirmed: bool = False
    mode: str = ""
    from_roles: frozenset[str] = frozenset()
    to_roles: frozenset[str] = frozenset()

    @property
    def crossing_mode(self) -> str:
        """The mode of the crossing that is looked for: road, rail, sea, river, air, or empty."""
        return _CROSSING_MODES.get(self.mode, "")


def legs_of_body(body: Mapping[str, Any]) -> Sequence[MapLeg]:
    """The legs of a body as it came or as it is being written; what is missing or of another form is unknown.

    A leg without any country is left out: there is nothing to draw.
    """
    legs = body.get("legs")
    found = []
    for leg in (legs if isinstance(legs, list | tuple) else [])[:MOST_LEGS]:
        if not isinstance(leg, Mapping):
            continue
        start, end, roles = _members(leg, "from"), _members(leg, "to"), _members(leg, "roles")
        countries = _text(start, "country"), _text(end, "country")
        if any(countries):
            found.append(
                MapLeg(
                    from_country=countries[0],
                    from_place=_text(start, "place"),
                    to_country=countries[1],
                    to_place=_text(end, "place"),
                    crossing=_text(leg, "crossing_point"),
                    confirmed=leg.get("confirmed") is True,
                    mode=_text(leg, "transport_mode"),
                    from_roles=_texts(roles, "from"),
                    to_roles=_texts(roles, "to"),
                )
            )
    return found


def _members(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    inner = value.get(name)
    return inner if isinstance(inner, Mapping) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    text = value.get(name)
    return text.strip() if isinstance(text, str) and text != "unknown" else ""


def _texts(value: Mapping[str, Any], name: str) -> frozenset[str]:
    texts = value.get(name)
    return (
        frozenset(text for text in texts if isinstance(text, str)) if isinstance(texts, list | tuple) else frozenset()
    )
