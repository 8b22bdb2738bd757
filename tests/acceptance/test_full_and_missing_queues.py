"""A full or a deleted queue: it is named where messages wait, stops nobody else, and everything goes out afterwards."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from alerts_in_numbers import arrived, submit_many, waiting
from bridge_countries import Country, eventually, found_country
from broker_queues import Queues

from bridge.adapters.amqp.topology import country_topology
from broker import Access

RETRY_SECONDS = 90.0  # a row that was refused a few times waits so long at most


@pytest.fixture(scope="module")
def queues(broker_node: Access) -> Iterator[Queues]:
    vhost = f"acceptance-{secrets.token_hex(4)}"
    broker_node.create_vhost(vhost)
    yield Queues(broker_node, vhost)
    broker_node.delete_vhost(vhost)


@pytest.fixture(scope="module")
def founded(queues: Queues, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Country]:
    """Three countries; each test runs of them what it needs."""
    folder = tmp_path_factory.mktemp("full-queues")
    found = {
        country.lower(): found_country(folder, country, broker=queues.broker, vhost=queues.vhost)
        for country in ("RS", "HU", "AT")
    }
    for country in found.values():
        country.apply_topology(queues.broker.management_url)
    return found


@pytest.fixture
def serbia(founded: Mapping[str, Country]) -> Iterator[Country]:
    yield from _started(founded["rs"])


@pytest.fixture
def austria(founded: Mapping[str, Country]) -> Iterator[Country]:
    yield from _started(founded["at"])


@pytest.fixture
def austria_away(founded: Mapping[str, Country]) -> Iterator[Country]:
    """Nothing of it runs until the test starts it."""
    yield founded["at"]
    _stop(founded["at"])


@pytest.fixture
def hungary(founded: Mapping[str, Country]) -> Iterator[Country]:
    """Nothing of it runs until the test starts it."""
    yield founded["hu"]
    _stop(founded["hu"])


@pytest.fixture
def hungary_but_for_its_border_police(hungary: Country) -> Iterator[Country]:
    """Hungary with everything running but the contact point of its border police."""
    blocks = re.split(r"(?m)^(?=\[\[contact_points\]\])", hungary.config.read_text("utf-8"))
    config = hungary.config.with_name("without-border-police.toml")
    config.write_text("".join(block for block in blocks if "hu.border-police" not in block), "utf-8")
    yield from _started(Country(config))


def _started(country: Country) -> Iterator[Country]:
    country.start()
    country.wait_ready()
    yield country
    _stop(country)


def _stop(country: Country) -> None:
    if country.process is not None:
        country.stop()


def check(country: Country, name: str) -> dict[str, Any]:
    (found,) = (one for one in country.say("status", "--json").json["checks"] if one["name"] == name)
    checked: dict[str, Any] = found
    return checked


def limit(queues: Queues, pattern: str, most: int) -> None:
    """Lets these queues hold so many messages; everything else of their policy stays."""
    passwords = dict.fromkeys(("at-relay", "at-router", "at-inbox-ncp"), "unused")
    (policy, _) = country_topology("at", ["at.ncp"], passwords=passwords, max_length=most).policies
    queues.limit(pattern, policy.settings)


def seconds_until_all_arrived(country: Country, contact_point: str, ids: list[str], begun: float) -> float:
    eventually(lambda: set(ids) <= arrived(country, contact_point).keys())
    return time.monotonic() - begun


def test_a_full_inbox_is_named_and_never_stops_its_country(
    queues: Queues, serbia: Country, hungary_but_for_its_border_police: Country, hungary: Country
) -> None:
    both = ("hu.ncp", "hu.border-police")

    # given how fast 200 alerts reach the national desk while the other inbox takes them, too
    begun = time.monotonic()
    before = submit_many(serbia, 200, to=both)
    usual = seconds_until_all_arrived(hungary, "hu.ncp", before, begun)

    # when it takes no more
    limit(queues, r"^inbox\.hu\.border-police\.normal$", 150)
    begun = time.monotonic()
    after = submit_many(serbia, 200, to=both)
    with_a_full_one = seconds_until_all_arrived(hungary, "hu.ncp", after, begun)

    # then the other one's pace is the same, give or take the machine's other work
    assert with_a_full_one < 2 * usual + 1

    # and the full one is named at its own country's node
    named = r"hu\.border-police: \d+ normal waiting, the oldest for \d+ s \(the queue is full"
    eventually(lambda: re.search(named, check(hungary, "destinations")["detail"]))
    assert not arrived(hungary, "hu.border-police")

    # when it has room again
    queues.unlimit()
    _stop(hungary_but_for_its_border_police)
    hungary.start()
    hungary.wait_ready()

    # then everything arrives there, once
    everything = dict.fromkeys(before + after, 1)
    eventually(lambda: arrived(hungary, "hu.border-police") == everything, seconds=RETRY_SECONDS)
    assert arrived(hungary, "hu.ncp") == everything
    eventually(lambda: check(hungary, "destinations")["detail"] == "nothing waits")
    assert check(hungary, "sequence")["ok"]


def test_a_full_country_queue_is_named_at_the_sender_and_urgent_alerts_go_on(
    queues: Queues, serbia: Country, austria_away: Country
) -> None:
    austria = austria_away

    # given a country that is away, and its queue full
    limit(queues, r"^country\.at\.normal$", 20)
    routine = submit_many(serbia, 20, to=["at.ncp"])
    eventually(lambda: queues.depths()["country.at.normal"] >= 20)
    while "(the queue is full" not in check(serbia, "destinations")["detail"]:  # a batch on its way still finds room
        routine += submit_many(serbia, 20, to=["at.ncp"])
        time.sleep(0.5)

    # when
    urgent = submit_many(serbia, 3, urgency="immediate", to=["at.ncp"])

    # then
    eventually(lambda: queues.depths()["country.at.urgent"] == len(urgent))
    found = check(serbia, "destinations")
    assert re.match(r"at: \d+ normal waiting, the oldest for \d+ s \(the queue is full", found["detail"])
    assert "urgent" not in found["detail"]

    # when it is back and has room
    queues.unlimit()
    austria.start()
    austria.wait_ready()

    # then
    everything = dict.fromkeys(routine + urgent, 1)
    eventually(lambda: arrived(austria, "at.ncp").items() >= everything.items(), seconds=RETRY_SECONDS)
    assert check(austria, "sequence")["ok"]


def test_a_deleted_queue_is_named_and_everything_arrives_once_it_is_there_again(
    queues: Queues, serbia: Country, austria: Country
) -> None:
    # given a country's queue and a contact point's queue are deleted while everything runs
    queues.delete("inbox.at.ncp.normal")
    routed = submit_many(serbia, 5, to=["at.ncp"])
    eventually(lambda: waiting(austria) == len(routed))
    queues.delete("country.at.normal")
    unroutable = submit_many(serbia, 5, to=["at.ncp"])

    # then urgent alerts go on, on lanes of their own
    (urgent,) = submit_many(serbia, 1, urgency="immediate", to=["at.ncp"])
    eventually(lambda: urgent in arrived(austria, "at.ncp"))

    # and each is named where messages wait for it, at once
    eventually(lambda: not check(serbia, "destinations")["ok"])
    assert re.match(r"at: 5 normal .*\(no such queue: unroutable\)$", check(serbia, "destinations")["detail"])
    of_austria = check(austria, "destinations")
    assert not of_austria["ok"]
    assert re.match(r"at\.ncp: 5 normal .*\(no such queue: unroutable\)$", of_austria["detail"])

    # and the country's own node names them
    doctor = {one["name"]: one for one in austria.say("doctor", "--json").json["checks"]}
    for account, queue in (("router", "country.at.normal"), ("at.ncp", "inbox.at.ncp.normal")):
        assert not doctor[f"broker account {account}"]["ok"]
        assert queue in doctor[f"broker account {account}"]["detail"]

    # when they are put back
    austria.apply_topology(queues.broker.management_url)

    # then
    everything = dict.fromkeys([*routed, *unroutable, urgent], 1)
    eventually(lambda: arrived(austria, "at.ncp").items() >= everything.items(), seconds=RETRY_SECONDS)
    eventually(lambda: check(serbia, "destinations")["ok"] and check(austria, "destinations")["ok"])
    assert check(austria, "sequence")["ok"]
