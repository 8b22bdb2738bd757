"""What a visitor of the consoles is told, who may sign in there, and who acts and sends meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

from bridge.app.accounts.passwords import check_password
from demo.consoles import ROUTE, Consoles
from demo.guide import as_guide
from demo.live_alerts import may_be_repeated
from demo.officers import SAMPLES, Sample, samples
from demo.visitors import make_visitors

CONSOLES = Consoles({"rs": 20001, "hu": 20002, "at": 20003})


def test_the_countries_are_those_of_the_first_sample_in_their_order() -> None:
    first = samples()[0]
    legs = json.loads((SAMPLES / first.file).read_bytes())["body"]["legs"]
    assert [legs[0]["from"]["country"], *(leg["to"]["country"] for leg in legs)] == [one.upper() for one in ROUTE]


def test_each_console_has_a_port_of_its_own_and_only_these_countries_serve_one() -> None:
    environments = Consoles.on_free_ports().environments
    ports = {environment["NCP_BRIDGE_CONSOLE__LISTEN"] for environment in environments.values()}
    assert list(environments) == list(ROUTE)
    assert len(ports) == len(ROUTE)


def test_an_alert_needs_two_people_in_each_country_and_one_operator_sees_no_content() -> None:
    who = [(visitor.prefix, visitor.login) for visitor in make_visitors()]
    assert who == [
        *(("rs", "officer"), ("rs", "approver"), ("hu", "officer"), ("hu", "approver")),
        *(("at", "officer"), ("at", "approver"), ("at", "operator")),
    ]


def test_passwords_are_accepted_made_anew_and_shown_by_the_guide_alone() -> None:
    visitors = [*make_visitors(), *make_visitors()]
    passwords = {visitor.password for visitor in visitors}
    for password in passwords:
        check_password(password)
    assert len(passwords) == len(visitors)
    assert not any(password in repr(visitors) for password in passwords)


def test_the_guide_has_one_line_for_each_account() -> None:
    visitors = make_visitors()
    guide = as_guide(CONSOLES.addresses, visitors, config=Path("/demo/rs/node.toml"))
    for visitor in visitors:
        (line,) = [line for line in guide.splitlines() if visitor.password in line]
        assert CONSOLES.addresses[visitor.prefix] in line
        assert ROUTE[visitor.prefix] in line
        assert f"  {visitor.login}  " in line
    assert "1. http://127.0.0.1:20003: sign in as Austria's officer" in guide
    assert "leg from Serbia to\n     Austria" in guide
    assert "ncp-bridge doctor --config /demo/rs/node.toml" in guide


def test_officers_act_where_nobody_visits() -> None:
    assert CONSOLES.without_visitors({"rs": 1, "hu": 2, "at": 3, "it": 4, "de": 5}) == {"it": 4, "de": 5}


def test_what_keeps_coming_is_no_update_and_from_no_country_that_is_visited() -> None:
    assert may_be_repeated(Sample("a.json", "it.ncp", None), to=ROUTE)
    assert not may_be_repeated(Sample("a.json", "it.ncp", "b.json"), to=ROUTE)
    assert not may_be_repeated(Sample("a.json", "rs.border-police", None), to=ROUTE)
    assert any(may_be_repeated(sample, to=ROUTE) for sample in samples())
