"""Attacks through a real broker on nodes that run: with a member's stolen account and keys, and as the broker itself.

The attacks stand in member_attacks.py and broker_attacks.py, one function each.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import broker_attacks
import member_attacks
import pytest
from bridge_countries import found_country, running
from siege import BROKER, Attacks, Injection, Siege, besieged
from thief import payload_in

from bridge.core import broker_names as names

if TYPE_CHECKING:
    from broker import Access

ATTACKS = Attacks(member_attacks.ATTACKS.made | broker_attacks.ATTACKS.made)
INBOX = broker_attacks.INBOX


@pytest.fixture(scope="module")
def siege(broker_node: Access, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    """Serbia, Hungary and Austria with their services running, and all attacks behind them."""
    folder, vhost = tmp_path_factory.mktemp("siege"), f"siege-{secrets.token_hex(4)}"
    broker_node.create_vhost(vhost)
    try:
        countries = {}
        for prefix in ("rs", "hu", "at"):
            countries[prefix] = found_country(folder, prefix.upper(), broker=broker_node, vhost=vhost)
        for country in countries.values():
            country.apply_topology(broker_node.management_url)
        with running(list(countries.values())):
            besieging = besieged(countries, broker_node, vhost)
            ATTACKS.launch(besieging)
            yield besieging
    finally:
        broker_node.delete_vhost(vhost)


@pytest.mark.parametrize("name", ATTACKS.made)
def test_an_attack_earns_its_code_and_nothing_of_it_reaches_an_inbox(siege: Siege, name: str) -> None:
    attack, wire_bytes = ATTACKS.made[name], ATTACKS.injected[name].wire_bytes
    refused = [one for one in siege.refused(attack.where, wire_bytes) if one.queue.startswith(attack.queue)]
    assert [(one.code, one.step, one.is_held) for one in refused] == [(attack.code, attack.step, attack.is_held)]
    assert siege.inbox(attack.where, wire_bytes) == []


def test_a_genuine_alert_repeated_by_the_broker_is_there_once(siege: Siege) -> None:
    # when: into the country's queue, into the inbox past the router, and among the dead letters; then another behind
    again = siege.genuine["rs"]
    last = siege.thief.message()
    places = [Injection(again, by=BROKER)] * 5
    places += [Injection(again, exchange="", key=key, by=BROKER) for key in (INBOX, names.dead_queue("at")) * 3]
    siege.inject([*places, Injection(last)])
    siege.settle(lambda: bool(siege.inbox("at", last)))

    # then
    assert siege.inbox("at", last)
    assert len(siege.inbox("at", again)) == 1
    assert [item["state"] for item in siege.countries["at"].inbox(payload_in(again)["id"])] == ["new"]


def test_an_exercise_arrives_marked_as_one(siege: Siege) -> None:
    exercise = siege.thief.message(siege.thief.payload(status="exercise"))
    siege.inject([Injection(exercise)])
    siege.settle(lambda: bool(siege.inbox("at", exercise)))
    assert siege.inbox("at", exercise) == [("new", "exercise")]


def test_behind_all_of_it_every_service_runs_and_says_what_it_refused(siege: Siege) -> None:
    status = siege.countries["at"].ask("status")
    checks = {check["name"]: check for check in status["checks"]}
    assert all(country.process is not None and country.process.poll() is None for country in siege.countries.values())
    assert checks["quarantine"]["detail"]
