"""Routes that branch and loop are routes; what continues where nothing led is not."""

from __future__ import annotations

from typing import Any

import pytest
from message_samples import faults, small_body


def route(*legs: str, **roles: dict[str, list[str]]) -> dict[str, Any]:
    """An alert with legs like `RS-HU`; `leg0={"from": [...]}` gives roles."""
    body = small_body("route_alert")
    body["legs"] = [
        {"from": {"country": leg[:2]}, "to": {"country": leg[3:]}, "confirmed": True}
        | ({"roles": roles[f"leg{index}"]} if f"leg{index}" in roles else {})
        for index, leg in enumerate(legs)
    ]
    return body


@pytest.mark.parametrize(
    "legs",
    [
        ("RS-HU",),
        ("RS-RS",),
        ("RS-HU", "HU-AT", "AT-DE"),
        ("RS-HU", "HU-AT", "HU-SK"),
        ("RS-HU", "HU-RS", "RS-BA"),
        ("AL-XK", "XK-RS", "XK-MK", "RS-HU", "MK-BG"),
    ],
)
def test_a_route_may_go_on_branch_and_loop(legs: tuple[str, ...]) -> None:
    assert faults("route_alert", route(*legs)) == []


@pytest.mark.parametrize(
    ("legs", "apart"),
    [
        (("RS-HU", "AT-DE"), [1]),
        (("RS-HU", "RS-BA"), [1]),
        (("HU-AT", "RS-HU"), [1]),
        (("RS-HU", "HU-AT", "BG-RO", "RO-MD", "SK-CZ"), [2, 4]),
    ],
)
def test_a_leg_that_starts_where_none_before_it_ended_is_refused(legs: tuple[str, ...], apart: list[int]) -> None:
    assert faults("route_alert", route(*legs)) == [f"E_LEGS_APART $.legs[{index}].from.country" for index in apart]


def test_a_country_that_is_wrong_is_not_reported_as_a_leg_apart_too() -> None:
    assert faults("route_alert", route("RS-QQ", "HU-AT")) == ["E_FORMAT $.legs[0].to.country"]
    assert faults("route_alert", route("RS-HU", "hu-AT")) == ["E_FORMAT $.legs[1].from.country"]


def test_roles_that_agree_with_positions_are_accepted() -> None:
    fitting = route(
        "RS-HU",
        "HU-RS",
        leg0={"from": ["origin"], "to": ["transit", "destination"]},
        leg1={"from": ["transit", "origin"], "to": ["destination"]},
    )
    assert faults("route_alert", fitting) == []


@pytest.mark.parametrize(
    ("roles", "fault"),
    [
        ({"leg0": {"from": ["destination"]}}, "legs[0].roles.from[0]"),
        ({"leg1": {"to": ["origin"]}}, "legs[1].roles.to[0]"),
        ({"leg0": {"from": ["origin", "transit"]}}, "legs[0].roles.from[1]"),
        ({"leg1": {"to": ["transit"]}}, "legs[1].roles.to[0]"),
    ],
)
def test_roles_that_do_not_fit_their_place_are_refused(roles: dict[str, Any], fault: str) -> None:
    assert faults("route_alert", route("RS-HU", "HU-AT", **roles)) == [f"E_ROLE_POSITION $.{fault}"]


def test_transit_needs_a_leg_before_or_after_in_the_order_of_travel() -> None:
    returning = route("RS-HU", "HU-RS", leg0={"from": ["transit"]})
    assert faults("route_alert", returning) == ["E_ROLE_POSITION $.legs[0].roles.from[0]"]
    ended = route("RS-HU", "HU-RS", leg1={"to": ["transit"]})
    assert faults("route_alert", ended) == ["E_ROLE_POSITION $.legs[1].roles.to[0]"]


def test_of_a_route_with_too_many_legs_only_their_number_is_reported() -> None:
    assert faults("route_alert", route(*["RS-HU", "AT-DE"] * 16)) != ["E_LIMIT $.legs"]
    assert faults("route_alert", route(*["RS-HU", "AT-DE"] * 17)) == ["E_LIMIT $.legs"]


@pytest.mark.parametrize(("name", "code"), [("observed", "E_OBSERVED_WINDOW"), ("expected", "E_EXPECTED_WINDOW")])
def test_a_window_may_be_a_moment_but_never_ends_before_it_begins(name: str, code: str) -> None:
    for start, end, right in (
        ("2026-11-23T10:00:00Z", "2026-11-23T10:00:00.000Z", True),
        ("2026-11-23T10:00:00.999Z", "2026-11-23T10:00:01Z", True),
        ("2026-11-23T10:00:00.001Z", "2026-11-23T10:00:00Z", False),
    ):
        body = route("RS-HU")
        place, path = (body, "$") if name == "observed" else (body["legs"][0], "$.legs[0]")
        place |= {f"{name}_from": start, f"{name}_to": end}
        assert faults("route_alert", body) == ([] if right else [f"{code} {path}.{name}_to"])


@pytest.mark.parametrize("end", ["from", "to"])
def test_half_a_window_is_a_window(end: str) -> None:
    assert faults("route_alert", route("RS-HU") | {f"observed_{end}": "2026-11-23T10:00:00Z"}) == []
