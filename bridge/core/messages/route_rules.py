"""The rules of a route: its legs join up, and roles agree with positions.

A route may branch and may loop (victims are rotated); what it may not do is continue where nothing led.
A country that is missing or not in our list counts as any country: one fault is not reported as two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bridge.core.countries import COUNTRY_CODES
from bridge.core.errors import Problem
from bridge.core.messages.found import describe
from bridge.core.messages.route_alert import MAX_LEGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TRANSIT: Final = "transit"
# The one role that the start, and the one that the end of a leg never has.
_FOREIGN: Final = {"from": "destination", "to": "origin"}
_FITTING: Final = {"from": "origin or transit", "to": "transit or destination"}


def check_legs(legs: Sequence[object], at: str) -> Iterator[Problem]:
    """What is wrong with the legs, given as parsed, that stand at path `at`."""
    if len(legs) > MAX_LEGS:  # the form refuses it, and this takes the square of their number
        return
    starts = [_country(leg, "from") for leg in legs]
    ends = [_country(leg, "to") for leg in legs]
    for index, leg in enumerate(legs):
        led_there = _meets(starts[index], ends[:index])
        if index and not led_there:
            expected = "a country where an earlier leg ended"
            yield Problem(f"{at}[{index}].from.country", describe(starts[index]), expected, "E_LEGS_APART")
        roles = leg.get("roles") if isinstance(leg, dict) else None
        if isinstance(roles, dict):
            here = f"{at}[{index}].roles"
            leads_on = _meets(ends[index], starts[index + 1 :])
            yield from _check_roles(roles, "from", here, transit=led_there, where="an earlier leg ended")
            yield from _check_roles(roles, "to", here, transit=leads_on, where="a later leg starts")


def _check_roles(roles: dict[str, object], end: str, at: str, *, transit: bool, where: str) -> Iterator[Problem]:
    values = roles.get(end)
    if not isinstance(values, list):
        return
    for index, role in enumerate(values):
        if role == _FOREIGN[end]:
            yield Problem(f"{at}.{end}[{index}]", describe(role), _FITTING[end], "E_ROLE_POSITION")
        if role == TRANSIT and not transit:
            expected = f"transit only where {where} in that country"
            yield Problem(f"{at}.{end}[{index}]", describe(role), expected, "E_ROLE_POSITION")


def _meets(country: str | None, others: Sequence[str | None]) -> bool:
    return country in others or (country is None and bool(others)) or None in others


def _country(leg: object, end: str) -> str | None:
    point = leg.get(end) if isinstance(leg, dict) else None
    country = point.get("country") if isinstance(point, dict) else None
    return country if isinstance(country, str) and country in COUNTRY_CODES else None
