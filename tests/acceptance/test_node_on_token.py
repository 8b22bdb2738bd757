"""A country whose contact point has its keys on a token: it works like any other, and waits while the token is away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alerts_in_numbers import arrived, submit_many
from bridge_countries import ALERTS, Country, eventually, found_country, running
from servers.softhsm_fixtures import MakeToken

from broker import Access
from broker.soft_tokens import SoftToken

ALERT = ALERTS / "01-rs-at-construction-recruitment-agency.json"


@pytest.fixture
def token(make_token: MakeToken) -> SoftToken:
    return make_token()


@pytest.fixture
def serbia_and_austria(
    token: SoftToken, broker_node: Access, own_vhost: str, tmp_path: Path
) -> Iterator[tuple[Country, Country]]:
    """Austria's keys are on the token."""
    place = token.place
    options = ("--token-module", place.module, "--token-label", place.label, "--token-pin-file", place.pin_file)
    serbia = found_country(tmp_path, "RS", broker=broker_node, vhost=own_vhost)
    austria = found_country(tmp_path, "AT", broker=broker_node, vhost=own_vhost, options=options)
    for country in (serbia, austria):
        country.apply_topology(broker_node.management_url)
    with running([serbia, austria]):
        yield serbia, austria


def failing(country: Country) -> dict[str, str]:
    """The states of the checks that fail, by name."""
    checks = country.say("status", "--json").json["checks"]
    return {check["name"]: check["state"] for check in checks if not check["ok"]}


def test_alerts_wait_while_the_token_is_away_and_come_when_it_is_back(
    serbia_and_austria: tuple[Country, Country], token: SoftToken, tmp_path: Path
) -> None:
    serbia, austria = serbia_and_austria
    # given: both ways, with receipts
    (to_austria,) = submit_many(serbia, 1, to=["at.ncp"])
    (to_serbia,) = submit_many(austria, 1, to=["rs.ncp"])
    serbia.reached(to_austria, "at.ncp", "delivered_at")
    austria.reached(to_serbia, "rs.ncp", "delivered_at")
    # when
    away = token.folder.rename(tmp_path / "away")
    # then
    eventually(lambda: failing(austria).get("all: keys") == "token_unreachable")
    assert austria.refuse("alert", "submit", ALERT, "--yes", "--partial")[1]["code"] == "E_TOKEN"
    assert austria.ask("inbox", "show", to_austria)["body"]["title"]
    # when
    ids = submit_many(serbia, 5, to=["at.ncp"])
    eventually(lambda: failing(austria).get("all: service contact-point at.ncp normal") == "token_unreachable")
    # then
    assert not set(ids) & arrived(austria, "at.ncp").keys()
    # when
    away.rename(token.folder)
    # then
    for one in ids:
        serbia.reached(one, "at.ncp", "delivered_at")
    assert [arrived(austria, "at.ncp")[one] for one in ids] == [1] * 5
    eventually(lambda: "token_unreachable" not in failing(austria).values())
    (again,) = submit_many(austria, 1, to=["rs.ncp"])
    austria.reached(again, "rs.ncp", "delivered_at")
