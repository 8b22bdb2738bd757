"""What routing reads of an alert: the roles of countries, the crossings, exploitation, children."""

from __future__ import annotations

import pytest
from routing_worlds import alert, leg

from bridge.core.routing import corridor_of
from bridge.core.routing.corridor import crossing_keys


@pytest.mark.parametrize(
    ("journeys", "roles"),
    [
        (["RS>HU"], {"RS": "origin", "HU": "destination"}),
        (["MD>RO>HU>AT>DE"], {"MD": "origin", "RO": "transit", "HU": "transit", "AT": "transit", "DE": "destination"}),
        (["RS>HU>RS"], {"RS": "origin destination", "HU": "transit"}),
        (["RS>HU>RS>HU"], {"RS": "origin transit", "HU": "transit destination"}),
        (["AL>ME>BA", "ME>HR"], {"AL": "origin", "ME": "transit", "BA": "destination", "HR": "destination"}),
        (["HU>HU"], {"HU": "origin destination"}),
    ],
)
def test_roles_follow_from_the_order_of_legs(journeys: list[str], roles: dict[str, str]) -> None:
    corridor = corridor_of(alert(*journeys))
    assert {country: " ".join(held) for country, held in corridor.roles.items()} == roles


def test_countries_stand_in_the_order_of_travel() -> None:
    corridor = corridor_of(alert("XK>RS>HU>RS>AT"))
    assert list(corridor.roles) == ["XK", "RS", "HU", "AT"]


def test_roles_given_by_the_author_are_added_to_those_of_the_position() -> None:
    # given
    body = alert(leg("RS>HU", end=("destination", "transit")), leg("HU>AT", start=("origin",)))
    # when
    corridor = corridor_of(body)
    # then
    assert corridor.roles["HU"] == ("origin", "transit", "destination")
    assert corridor.roles["RS"] == ("origin",)


def test_a_crossing_counts_for_both_countries_of_its_leg_and_no_other() -> None:
    # given
    body = alert(leg("RS>HU", crossing="Horgoš"), leg("HU>AT", crossing="HEGYESHALOM"), leg("AT>HU", crossing="Sopron"))
    # when
    crossings = corridor_of(body).crossings
    # then
    assert crossings == {
        "RS": {"horgos"},
        "HU": {"horgos", "hegyeshalom", "sopron"},
        "AT": {"hegyeshalom", "sopron"},
    }


@pytest.mark.parametrize(
    "spelling", ["Röszke", "RÖSZKE", "röszke ", "Ro\u0308szke", "Roszke", "R\u00f6s zke"], ids=ascii
)
def test_spellings_of_one_crossing_have_one_key(spelling: str) -> None:
    assert crossing_keys(spelling) == {"roszke"}


@pytest.mark.parametrize(
    "name", ["Horgoš - Röszke", "Horgoš/Röszke", "HORGOŠ \u2013 RÖSZKE", " Horgos /Roszke/"], ids=ascii
)
def test_a_crossing_named_by_both_of_its_sides_has_the_key_of_each(name: str) -> None:
    assert crossing_keys(name) == {"horgos", "roszke"}


def test_a_hyphen_within_a_name_does_not_divide_it() -> None:
    assert crossing_keys("Stamora-Moravița") == {"stamora-moravita"}


def test_exploitation_and_children_are_taken_from_the_alert() -> None:
    corridor = corridor_of(alert("RS>HU", exploitation=("forced_begging", "sexual"), child=True))
    assert corridor.exploitation == {"forced_begging", "sexual"}
    assert corridor.child_involved
    assert not corridor_of(alert("RS>HU")).child_involved


def test_a_cancellation_names_no_route() -> None:
    corridor = corridor_of(None)
    assert (dict(corridor.roles), dict(corridor.crossings), corridor.exploitation) == ({}, {}, frozenset())
    assert not corridor.child_involved
