"""Who may write and read what on the broker, and which settings the queues get; by what the patterns match."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest

from bridge.adapters.amqp.definitions import definitions, password_hash
from bridge.adapters.amqp.topology import (
    Topology,
    account_names,
    country_topology,
    merge,
    shared_topology,
)
from bridge.core import broker_names as names
from bridge.core.errors import BadInputError

COUNTRIES = {"rs": ["rs.ncp", "rs.border-police"], "at": ["at.ncp"], "eu": ["eu.n-c-p"]}
PASSWORD = "correct horse battery staple"


def topology() -> Topology:
    each = [
        country_topology(prefix, points, passwords=dict.fromkeys(account_names(prefix, points), PASSWORD))
        for prefix, points in COUNTRIES.items()
    ]
    return merge([shared_topology(), *each, each[0]])


# As permissions see them: the default exchange under another name than the empty one.
RESOURCES = {item.name for item in (*topology().exchanges, *topology().queues)} | {"amq.default", "amq.topic", "mine"}

RIGHTS = {
    "rs-relay": ({"from.rs"}, set()),
    "rs-router": ({"contact-points.rs"}, {"country.rs.urgent", "country.rs.normal", "dead.rs"}),
    "rs-inbox-ncp": (set(), {"inbox.rs.ncp.urgent", "inbox.rs.ncp.normal"}),
    "rs-inbox-border-police": (set(), {"inbox.rs.border-police.urgent", "inbox.rs.border-police.normal"}),
    "at-relay": ({"from.at"}, set()),
    "at-router": ({"contact-points.at"}, {"country.at.urgent", "country.at.normal", "dead.at"}),
    "at-inbox-ncp": (set(), {"inbox.at.ncp.urgent", "inbox.at.ncp.normal"}),
    "eu-relay": ({"from.eu"}, set()),
    "eu-router": ({"contact-points.eu"}, {"country.eu.urgent", "country.eu.normal", "dead.eu"}),
    "eu-inbox-n-c-p": (set(), {"inbox.eu.n-c-p.urgent", "inbox.eu.n-c-p.normal"}),
}


def test_each_account_may_write_and_read_exactly_its_own() -> None:
    found = {
        account.name: tuple(
            {name for name in RESOURCES if re.search(pattern, name)} for pattern in (account.write, account.read)
        )
        for account in topology().accounts
    }
    assert found == RIGHTS


def test_nobody_may_configure_anything() -> None:
    permissions = definitions(topology(), vhost="/")["permissions"]
    assert len(permissions) == len(RIGHTS)
    assert not [name for name in RESOURCES for entry in permissions if re.search(str(entry["configure"]), name)]


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("rs.at.urgent.route_alert", True),
        ("rs.at.normal.receipt", True),
        ("at.rs.normal.receipt", False),
        ("rs.at.later.receipt", False),
        ("rs.at.normal", False),
        ("rs.at.normal.receipt.more", False),
        ("rsx.at.normal.receipt", False),
        ("#", False),
    ],
)
def test_a_relays_keys_begin_with_its_own_country(key: str, allowed: bool) -> None:  # noqa: FBT001 - a table's column
    (relay,) = [account for account in topology().accounts if account.name == "rs-relay"]
    assert bool(re.search(relay.write_keys["from.rs"], key)) is allowed


def test_every_topic_exchange_denies_by_default_whoever_writes_at_all() -> None:
    # without a record of its own an account may use every key
    permitted = {
        (entry["user"], entry["exchange"]): str(entry["write"])
        for entry in definitions(topology(), vhost="/")["topic_permissions"]
    }
    for account in topology().accounts:
        own = f"from.{account.name[:2]}"
        assert not re.search(permitted[account.name, names.ALERTS], "rs.at.normal.receipt")
        assert bool(re.search(permitted[account.name, own], f"{own[-2:]}.at.normal.receipt")) is account.name.endswith(
            "relay"
        )


def policies_of(queue: str) -> list[dict[str, object]]:
    return [dict(policy.settings) for policy in topology().policies if re.search(policy.pattern, queue)]


def test_every_queue_has_exactly_one_policy_and_loses_nothing_silently() -> None:
    for queue in topology().queues:
        (settings,) = policies_of(queue.name)
        assert settings["overflow"] == "reject-publish"
        assert settings["max-length"] == 200_000
        assert settings["max-length-bytes"] == 1024**3
        if queue.name.startswith("dead."):
            # what is dead has nowhere else to go
            assert settings["delivery-limit"] == 1_000_000_000
            assert "dead-letter-exchange" not in settings
            assert "message-ttl" not in settings
        else:
            assert settings["delivery-limit"] == 1000
            assert settings["dead-letter-exchange"] == "dead"
            assert settings["message-ttl"] > 30 * 24 * 3600 * 1000  # longer than any message lives
            assert settings["dead-letter-strategy"] == "at-least-once"
            assert settings["dead-letter-routing-key"] in queue.name.split(".")


def test_every_queue_is_a_durable_quorum_queue_and_every_exchange_is_durable() -> None:
    document = definitions(topology(), vhost="network")
    assert len(document["queues"]) == 2 * 4 + 3 * 3
    for queue in document["queues"]:
        assert (queue["durable"], queue["auto_delete"]) == (True, False)
        assert queue["arguments"] == {"x-queue-type": "quorum"}
    assert {exchange["durable"] for exchange in document["exchanges"]} == {True}
    assert {entry["vhost"] for kind in ("queues", "exchanges", "bindings", "policies") for entry in document[kind]} == {
        "network"
    }


def routed(exchange: str, key: str) -> set[str]:
    """The queues that a broker with these bindings would put a message into."""
    found = set()
    for binding in topology().bindings:
        if binding.source == exchange and matches(binding.routing_key, key):
            destination = binding.destination
            found |= routed(destination, key) if binding.destination_type == "exchange" else {destination}
    return found


def matches(pattern: str, key: str) -> bool:
    # of the topology's patterns only: a star is one word, a final hash any number
    expression = re.escape(pattern).replace(r"\*", r"[^.]*").replace(r"\.\#", r"(\..*)?")
    return re.fullmatch(expression, key) is not None


@pytest.mark.parametrize(
    ("exchange", "key", "queues"),
    [
        ("from.rs", "rs.at.urgent.route_alert", {"country.at.urgent"}),
        ("from.rs", "rs.at.normal.receipt", {"country.at.normal"}),
        ("from.rs", "rs.rs.normal.receipt", {"country.rs.normal"}),
        ("from.rs", "at.rs.normal.receipt", set()),
        ("from.rs", "rs.zz.normal.receipt", set()),
        ("contact-points.rs", "rs.border-police.urgent", {"inbox.rs.border-police.urgent"}),
        ("contact-points.rs", "at.ncp.urgent", set()),
        ("dead", "rs", {"dead.rs"}),
    ],
)
def test_a_message_lands_in_one_queue_or_in_none(exchange: str, key: str, queues: set[str]) -> None:
    assert routed(exchange, key) == queues


def test_merging_keeps_each_thing_once() -> None:
    for kind in ("exchanges", "queues", "bindings", "policies", "accounts"):
        items = [str(asdict(item)) for item in getattr(topology(), kind)]
        assert len(items) == len(set(items)), kind


def test_passwords_leave_as_salted_hashes_only_and_never_twice_the_same() -> None:
    first, second = (definitions(topology(), vhost="/") for _ in range(2))
    assert PASSWORD not in str(first)
    assert PASSWORD not in repr(topology().accounts[0])
    assert {user["password_hash"] for user in first["users"]}.isdisjoint(
        user["password_hash"] for user in second["users"]
    )
    # computed apart: salt 90 8d c6 0a before the SHA-256 of salt and password (RabbitMQ, Password Hashing)
    assert password_hash("test12", bytes.fromhex("908dc60a")) == "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR"


def test_an_account_without_a_password_can_only_use_its_certificate() -> None:
    points = ["hr.ncp"]
    made = country_topology("hr", points, passwords=dict.fromkeys(account_names("hr", points)))
    assert {user["password_hash"] for user in definitions(made, vhost="/")["users"]} == {""}


@pytest.mark.parametrize(
    ("prefix", "points", "sentence"),
    [
        ("RS", [], "'RS' is not a country's"),
        ("r.", [], "'r.' is not"),
        ("rs\n", [], "is not a country's"),
        ("rs", ["at.ncp"], "'at.ncp' is not a contact point of 'rs'"),
        ("rs", ["rs.n|cp"], "is not a contact point"),
        ("rs", ["rs.ncp"], "no password for the broker accounts rs-relay, rs-router, rs-inbox-ncp"),
    ],
)
def test_what_could_break_out_of_a_pattern_is_refused(prefix: str, points: list[str], sentence: str) -> None:
    with pytest.raises(BadInputError, match=re.escape(sentence)) as caught:
        country_topology(prefix, points, passwords={})
    assert caught.value.code == "E_TOPOLOGY"


def test_names_are_those_that_operators_see() -> None:
    assert names.country_queues("rs") == ("country.rs.urgent", "country.rs.normal", "dead.rs")
    assert names.inbox_queues("rs.ncp") == ("inbox.rs.ncp.urgent", "inbox.rs.ncp.normal")
    assert names.alert_key("rs", "at", lane="urgent", kind="route_alert") == "rs.at.urgent.route_alert"
    assert names.contact_point_key("rs.ncp", "normal") == "rs.ncp.normal"
    assert [names.key_names_sender(queue) for queue in ("country.rs.urgent", "inbox.rs.ncp.urgent", "dead.rs")] == [
        True,
        False,
        False,
    ]
