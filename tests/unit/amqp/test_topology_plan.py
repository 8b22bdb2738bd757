"""What has to change on a broker: only what differs, only what is ours, and everything of whoever left."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.adapters.amqp.definitions import definitions, password_hash
from bridge.adapters.amqp.plan import Leaving, Plan, plan, removals
from bridge.adapters.amqp.topology import network_topology
from bridge.core import broker_names as names
from bridge.core.errors import RefusedError

MEMBERS = {"rs": ["rs.ncp", "rs.border-police"], "at": ["at.ncp"]}
PASSWORDS = {"rs-relay": "known here"}
TOPOLOGY = network_topology(MEMBERS, passwords=PASSWORDS)
KINDS = tuple(definitions(TOPOLOGY, vhost="see"))


def exported(**more: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """A broker on which everything is, and beside it the administrator and another network."""
    document = copy.deepcopy(definitions(TOPOLOGY, vhost="see"))
    document["users"].append({"name": "admin", "tags": ["administrator"], "password_hash": "x", "limits": {}})
    document["permissions"].append({"user": "admin", "vhost": "see", "configure": ".*", "write": ".*", "read": ".*"})
    document["queues"].append({"name": "country.it.urgent", "vhost": "west", "durable": True, "arguments": {}})
    for kind, entries in more.items():
        document[kind].extend(entries)
    return document


def made(there: Mapping[str, Any], *, keep_passwords: bool = True, seal: bool = True) -> Plan:
    return plan(there, TOPOLOGY, vhost="see", keep_passwords=keep_passwords, seal=seal)


def test_where_everything_is_there_nothing_is_to_be_done() -> None:
    found = made(exported())

    assert (found.changes, found.leaving, found.left_alone) == ((), (), ())
    assert not any(found.document.values())


@given(kind=st.sampled_from([kind for kind in KINDS if kind != "vhosts"]), data=st.data())
def test_whatever_one_thing_is_missing_exactly_that_is_added(kind: str, data: st.DataObject) -> None:
    there = exported()
    ours = [entry for entry in there[kind] if entry.get("vhost", "see") == "see" and "admin" not in entry.values()]
    lost = data.draw(st.sampled_from(ours))
    there[kind].remove(lost)

    found = made(there)

    assert [change.action for change in found.changes] == ["add"]
    assert {name for name, entries in found.document.items() if entries} == {kind}


def test_a_permission_that_somebody_widened_is_changed_back_in_words() -> None:
    there = exported()
    for entry in there["permissions"]:
        if entry["user"] == "at-inbox-ncp":
            entry["read"] = ".*"

    (change,) = made(there).changes

    assert change.sentence() == (
        r"change permissions of at-inbox-ncp: read ^(inbox\.at\.ncp\.urgent|inbox\.at\.ncp\.normal)$ instead of .*"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tags": ["administrator"]}, "tags [] instead of ['administrator']"),
        ({"limits": {}}, "limits {'max-connections': 32, 'max-channels': 256} instead of {}"),
        ({"password_hash": password_hash("another", b"salt")}, "another password"),
    ],
)
def test_an_account_with_more_than_it_should_have_is_changed_back(changes: dict[str, Any], words: str) -> None:
    there = exported()
    (relay,) = [user for user in there["users"] if user["name"] == "rs-relay"]
    relay.update(changes)

    found = made(there)

    assert [(change.action, change.name, change.detail) for change in found.changes] == [("change", "rs-relay", words)]
    assert [user["name"] for user in found.document["users"]] == ["rs-relay"]


def test_a_password_that_only_its_owner_knows_stays_unless_certificates_are_used() -> None:
    there = exported()
    (theirs,) = [user for user in there["users"] if user["name"] == "at-relay"]
    theirs.update(password_hash=password_hash("Austria's own", b"salt"), limits={})

    kept = made(there)
    taken = made(there, keep_passwords=False)

    assert [user["password_hash"] for user in kept.document["users"]] == [theirs["password_hash"]]
    assert [user["password_hash"] for user in taken.document["users"]] == [""]
    assert "signs in with its certificate" in taken.changes[0].detail


def test_what_stands_there_in_another_form_is_a_conflict() -> None:
    there = exported()
    there["queues"][0]["arguments"] = {"x-queue-type": "classic"}

    with pytest.raises(RefusedError, match=r"country\.rs\.urgent has arguments") as caught:
        made(there)
    assert caught.value.code == "E_TOPOLOGY_CONFLICT"


def left_member(**more: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The broker with Italy on it, which is in the list no more."""
    italy = definitions(network_topology({"it": ["it.ncp"]}, passwords={}), vhost="see")
    there = exported(**more)
    known = {kind: [str(entry) for entry in there[kind]] for kind in there}
    for kind, entries in italy.items():
        there[kind] += [entry for entry in entries if str(entry) not in known[kind] and kind != "parameters"]
    return there


def test_a_member_that_left_is_sealed_off_and_nobody_else_is_touched() -> None:
    found = made(left_member())

    assert found.changes == ()
    (italy,) = found.leaving
    assert italy.member == "it"
    assert italy.accounts == ("it-inbox-ncp", "it-relay", "it-router")
    assert italy.known_elsewhere == frozenset()
    assert italy.queues == tuple(sorted((*names.country_queues("it"), *names.inbox_queues("it.ncp"))))
    assert italy.exchanges == ("contact-points.it", "from.it")
    assert italy.policies == ("dead.it", "queues.it")
    assert {(entry["source"], entry["destination"]) for entry in italy.bindings} == {
        ("from.it", "alerts"),
        ("alerts", "country.it.urgent"),
        ("alerts", "country.it.normal"),
        ("contact-points.it", "inbox.it.ncp.urgent"),
        ("contact-points.it", "inbox.it.ncp.normal"),
        ("dead", "dead.it"),
    }
    assert "remove binding alerts -> country.it.urgent (*.it.urgent.*)" in [
        change.sentence() for change in removals(italy)
    ]


def test_one_contact_point_that_left_takes_only_its_own_along() -> None:
    fewer = network_topology({"rs": ["rs.ncp"], "at": ["at.ncp"]}, passwords={})

    found = plan(exported(), fewer, vhost="see", keep_passwords=True, seal=True)

    (serbia,) = found.leaving
    assert (serbia.member, serbia.accounts) == ("rs", ("rs-inbox-border-police",))
    assert serbia.queues == ("inbox.rs.border-police.normal", "inbox.rs.border-police.urgent")
    assert {entry["destination"] for entry in serbia.bindings} == set(serbia.queues)
    assert (serbia.exchanges, serbia.policies) == ((), ())


def test_an_account_that_another_virtual_host_knows_is_only_shut_out_of_this_one() -> None:
    there = left_member(
        permissions=[{"user": "it-relay", "vhost": "west", "configure": "^$", "write": "x", "read": "^$"}]
    )

    (italy,) = made(there).leaving

    assert italy.known_elsewhere == {"it-relay"}
    assert "remove permissions of it-relay" in [change.sentence() for change in removals(italy)]


@pytest.mark.parametrize(("source", "destination"), [("alerts", "audit"), ("amq.topic", "country.rs.urgent")])
def test_what_others_bound_to_ours_is_named_and_left_alone(source: str, destination: str) -> None:
    other = {"source": source, "vhost": "see", "destination": destination, "destination_type": "queue"}
    found = made(exported(bindings=[{**other, "routing_key": "#", "arguments": {}}]))

    assert found.left_alone == (f"{source} -> {destination} (#)",)
    assert found.leaving == ()


def test_a_binding_between_the_exchanges_that_all_share_is_removed() -> None:
    loop = {"source": "dead", "vhost": "see", "destination": "alerts", "destination_type": "exchange"}
    (nobody,) = made(exported(bindings=[{**loop, "routing_key": "rs", "arguments": {}}])).leaving

    assert (nobody.member, nobody.accounts, nobody.queues) == ("", (), ())
    assert [change.sentence() for change in removals(nobody)] == ["remove binding dead -> alerts (rs)"]


def test_a_binding_between_ours_that_nobody_wants_is_removed() -> None:
    tap = {"source": "alerts", "vhost": "see", "destination": "inbox.at.ncp.normal", "destination_type": "queue"}
    (austria,) = made(exported(bindings=[{**tap, "routing_key": "#", "arguments": {}}])).leaving

    assert [change.sentence() for change in removals(austria)] == ["remove binding alerts -> inbox.at.ncp.normal (#)"]
    assert isinstance(austria, Leaving)


def test_a_countrys_own_apply_seals_nobody_off() -> None:
    assert made(left_member(), seal=False).leaving == ()


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("from.rs", "rs"),
        ("contact-points.rs", "rs"),
        ("country.rs.urgent", "rs"),
        ("dead.rs", "rs"),
        ("inbox.rs.border-police.normal", "rs"),
        ("queues.rs", "rs"),
        ("rs-relay", "rs"),
        ("rs-inbox-border-police", "rs"),
        ("alerts", None),
        ("dead", None),
        ("admin", None),
        ("out.rs", None),
        ("from.rs.more", None),
        ("country.rs.later", None),
        ("my-rs-relay", None),
        ("rs-relay\n", None),
    ],
)
def test_names_say_whose_they_are(name: str, member: str | None) -> None:
    assert names.member_of(name) == member
