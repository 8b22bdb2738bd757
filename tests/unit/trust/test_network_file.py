"""The file a network is founded from, and the demo's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.app.network_file import NetworkPlan, read_network_file
from bridge.core.errors import BadInputError
from bridge.core.wire.payload import CONTROL_KINDS

DEMO = Path("config/demo-network.toml")
SMALL = """
network = "see"
countries = ["RS", "AT"]
[[contact_points]]
id = "rs.ncp"
name = "Serbia"
national_desk = true
[[contact_points]]
id = "at.ncp"
name = "Austria"
national_desk = true
"""


def read(text: str) -> NetworkPlan:
    """The plan, with accounts named after the contact point."""
    return read_network_file(
        text.encode(), accounts=lambda identifier: {"relay": "r", "router": "o", "inbox": identifier}
    )


def test_the_demo_has_fourteen_countries_and_special_desks() -> None:
    plan = read(DEMO.read_text("utf-8"))
    points = {point.id: point for point in plan.contact_points}

    assert plan.network == "see"
    assert set(plan.countries) == {"AL", "BA", "BG", "HR", "XK", "MK", "ME", "MD", "RO", "RS", "HU", "AT", "IT", "DE"}
    assert {f"{country.lower()}.ncp" for country in plan.countries} <= set(points)
    assert points["xk.ncp"].country == "XK"
    assert points["rs.child-protection"].remit.children_only
    assert "Horgoš" in (points["rs.border-police"].remit.crossings or ())
    assert "forced_labour_or_services" in (points["it.labour-inspectorate"].remit.exploitation or ())
    assert points["rs.ncp"].transfer_basis["AT"] == "council_of_europe"
    assert points["it.ncp"].transfer_basis["DE"] == "intra_eu"
    assert points["rs.ncp"].transfer_basis["XK"] == "agreement"


def test_what_a_contact_point_does_not_say_the_defaults_say() -> None:
    text = SMALL + '[defaults]\nmode = "test"\nsends = ["route_alert"]\nstatuses = ["exercise"]\n'

    point = read(text).contact_points[0]

    assert (point.mode, point.sends, point.statuses) == ("test", {"route_alert"} | CONTROL_KINDS, {"exercise"})
    assert point.accounts["inbox"] == "at.ncp"


def test_what_a_contact_point_says_itself_wins() -> None:
    own = ['mode = "test"', "sends = []", 'languages = ["de"]', "[contact_points.transfer_basis]", 'RS = "derogation"']
    text = SMALL + "\n".join(own)

    point = read(text).contact_points[0]

    assert (point.mode, point.sends, point.languages) == ("test", CONTROL_KINDS, ("de",))
    assert point.transfer_basis == {"RS": "derogation"}


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ('"RS", "AT"', '"RS", "AT", "QQ"', r"\$\.countries: found QQ"),
        ('"RS", "AT"', '"RS", "AT", "HR"', "no national desk of HR"),
        ('"rs.ncp"', '"hr.ncp"', r"contact_points\[0\]\.id: found hr, expected one of at, rs"),
        ('"rs.ncp"', '"at.ncp"', "at.ncp twice"),
        ('"rs.ncp"', '"RS.ncp"', r"contact_points\[0\]\.id"),
        ('name = "Serbia"', "", r"contact_points\[0\]\.name"),
        (
            'name = "Serbia"',
            'name = "Serbia"\nfax = "1"',
            r"contact_points\[0\]\.fax: found 1, expected no such name here$",
        ),
        (
            'name = "Serbia"',
            'name = "Serbia"\nlangauges = ["sr"]',
            "expected no such name here; did you mean languages",
        ),
        ('name = "Serbia"', "name = 5", r"contact_points\[0\]\.name: found 5, expected a valid string$"),
        ('name = "Serbia"', 'name = "S"\nsends = ["route_alrt"]', "did you mean route_alert"),
        ('name = "Serbia"', 'name = "S"\nremit = {exploitation = ["sexuel"]}', "did you mean sexual"),
        ('name = "Serbia"', 'name = "S"\nremit = {kinds = ["receipt"]}', r"remit\.kinds"),
        ('name = "Serbia"', 'name = "S"\ntransfer_basis = {AT = "trust"}', "transfer_basis"),
        ('name = "Serbia"', 'name = "S"\nstatuses = ["draft"]', "statuses"),
        ('network = "see"', 'network = "S E E"', r"\$\.network"),
        ('network = "see"', "network = ", "not TOML"),
        (
            "[[",
            "governance = {keys = 2, threshold = 3}\n[[",
            r"\$\.governance\.threshold: found 3, expected at most its 2",
        ),
        ("[[", 'revocation = {holders = ["a.pub"], threshold = 2}\n[[', r"\$\.revocation\.threshold: found 2"),
        ("[[", 'governance = {holders = ["a.pub"], keys = 1, threshold = 1}\n[[', "found keys and holders"),
        ("[[", "governance = {threshold = 1}\n[[", "found neither keys nor holders"),
    ],
)
def test_a_fault_is_named_with_its_place(old: str, new: str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence) as caught:
        read(SMALL.replace(old, new, 1))
    assert caught.value.code == "E_NETWORK_FILE"


def test_every_fault_is_told_not_only_the_first() -> None:
    with pytest.raises(BadInputError) as caught:
        read(SMALL.replace('"RS", "AT"', '"RS", "AT", "QQ", "QX"'))

    assert [problem.found for problem in caught.value.problems][:2] == ["QQ", "QX"]
