"""Whatever differs between two states of a network is said in words."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.app.network_standing import Signers, Standing, Stop
from bridge.app.network_words import changes
from bridge.core.directory import ContactPoint, DutyOffice, PublicKey, Remit
from bridge.core.wire.payload import CONTROL_KINDS

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
DESK = ContactPoint(
    id="rs.ncp",
    name="Serbia",
    country="RS",
    mode="live",
    remit=Remit(national_desk=True),
    sends=frozenset({"route_alert"}) | CONTROL_KINDS,
    receives=frozenset({"route_alert"}) | CONTROL_KINDS,
    statuses=frozenset({"actual"}),
    signature_policy=("ES256",),
    transfer_basis={"AT": "agreement"},
    accounts={"relay": "rs-relay"},
)
KEY = PublicKey("rs.ncp#sig-2026a", "ES256", b"\x04" + bytes(64), NOW, NOW + timedelta(days=31))
STANDING = Standing("see", ("AT", "RS"), {"rs.ncp": DESK}, keys={KEY.kid: KEY})

# What a field of a contact point is called in the words, where not by its own name.
CALLED = {
    "sends": "may send",
    "receives": "may receive",
    "statuses": "may send with status",
    "transfer_basis": "transfer basis to",
    "accounts": "broker account",
    "deputies": "deputies, in this order",
    "suspended": "suspended by governance",
}

some_text = st.text(max_size=12)
some_words = st.frozensets(some_text, max_size=3)
some_remit_words = st.none() | some_words
remits = st.builds(
    Remit,
    national_desk=st.booleans(),
    kinds=some_remit_words,
    exploitation=some_remit_words,
    children_only=st.booleans(),
    crossings=some_remit_words,
)
offices = st.builds(DutyOffice, phone=st.none() | some_text, email=st.none() | some_text, hours=st.none() | some_text)
values: dict[str, st.SearchStrategy[Any]] = {
    "name": some_text,
    "country": st.none() | st.sampled_from(["RS", "AT", "XK"]),
    "mode": st.sampled_from(["live", "test"]),
    "remit": remits,
    "sends": some_words.map(lambda kinds: kinds | CONTROL_KINDS),
    "receives": some_words.map(lambda kinds: kinds | CONTROL_KINDS),
    "statuses": some_words,
    "signature_policy": st.lists(some_text, max_size=3).map(tuple),
    "languages": st.lists(some_text, max_size=3).map(tuple),
    "transfer_basis": st.dictionaries(st.sampled_from(["AT", "DE", "XK"]), some_text, max_size=3),
    "accounts": st.dictionaries(st.sampled_from(["relay", "router", "inbox"]), some_text, max_size=3),
    "duty_office": st.none() | offices.filter(lambda office: office != DutyOffice()),
    "deputies": st.lists(some_text, max_size=3).map(tuple),
    "suspended": st.none() | some_text,
}
desks = st.builds(ContactPoint, id=st.just("rs.ncp"), **values)


def lines(before: Standing | None, after: Standing) -> list[str]:
    return [f"{', '.join(one.who)}: {one.what}" for one in changes(before, after)]


def test_every_field_of_a_contact_point_has_values_here() -> None:
    assert {field.name for field in fields(ContactPoint)} == {"id", *values}


@given(before=desks, after=desks)
def test_every_field_that_differs_is_mentioned_and_no_other(before: ContactPoint, after: ContactPoint) -> None:
    said = lines(
        replace(STANDING, contact_points={"rs.ncp": before}), replace(STANDING, contact_points={"rs.ncp": after})
    )

    for field in fields(ContactPoint):
        label = CALLED.get(field.name, field.name.replace("_", " "))
        after_label = " " if field.name in {"transfer_basis", "accounts"} else ": "
        mentioned = any(line.startswith(f"rs.ncp: {label}{after_label}") for line in said)
        old, new = getattr(before, field.name), getattr(after, field.name)
        assert mentioned == (old != new), field.name
    assert all(len(line.splitlines()) == 1 for line in said)


# Keys are compared below; a change of another network is refused before it is put in words.
@pytest.mark.parametrize("field", [one.name for one in fields(Standing) if one.name not in {"keys", "network"}])
def test_every_part_of_a_standing_is_compared(field: str) -> None:
    other = {
        "countries": ("AT", "RS", "XK"),
        "contact_points": {},
        "signers": {"governance": Signers({"ab" * 32: "Alice"}, 1)},
        "revoked": (Stop(KEY.kid, NOW, "stolen"),),
        "suspensions": (Stop("rs", NOW, "raided"),),
        "stops_base": 1,
        "reinstated": {"rs": NOW},
        "suspended": {"rs.ncp": "raided"},
        "certificate_authorities": {"cd" * 32: "CN=see"},
    }
    changed = replace(STANDING, **{field: other[field]})

    assert lines(STANDING, changed)
    assert lines(changed, STANDING)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("alg", "ECDH-ES+A256KW"),
        ("point", b"\x04" + bytes(63) + b"\x01"),
        ("use_until", NOW + timedelta(days=1)),
        ("verify_until", NOW + timedelta(days=62)),
        ("revoked_at", NOW),
    ],
)
def test_every_field_of_a_key_that_differs_is_mentioned(field: str, value: object) -> None:
    changed = replace(STANDING, keys={KEY.kid: replace(KEY, **{field: value})})

    assert any(line.startswith(f"{KEY.kid}: ") and " -> " in line for line in lines(STANDING, changed))


def test_what_is_the_same_is_not_mentioned() -> None:
    assert lines(STANDING, STANDING) == []


def test_what_changes_alike_for_many_is_said_once() -> None:
    two = {"rs.ncp": DESK, "at.ncp": replace(DESK, id="at.ncp")}
    german = {identifier: replace(desk, languages=("de",)) for identifier, desk in two.items()}

    said = lines(replace(STANDING, contact_points=two), replace(STANDING, contact_points=german))

    assert said == ["at.ncp, rs.ncp: languages: none -> de"]


def test_a_name_cannot_pretend_to_be_a_word_of_ours() -> None:
    crooked = replace(DESK, name="Serbia\nat.ncp: is REMOVED", languages=("everything", "a, b"))

    said = lines(STANDING, replace(STANDING, contact_points={"rs.ncp": crooked}))

    assert said == [
        'rs.ncp: name: Serbia -> "Serbia\\nat.ncp: is REMOVED"',
        'rs.ncp: languages: none -> "everything", "a, b"',
    ]


def test_what_a_remit_leaves_open_is_everything() -> None:
    narrow = replace(DESK, remit=Remit(national_desk=True, kinds=frozenset({"route_alert"})))

    assert lines(STANDING, replace(STANDING, contact_points={"rs.ncp": narrow})) == [
        "rs.ncp: remit: kinds: everything -> route_alert"
    ]


def test_a_threshold_alone_is_a_change() -> None:
    three = {"ab" * 32: "Alice", "cd" * 32: "Bob", "ef" * 32: "Carol"}
    before = replace(STANDING, signers={"governance": Signers(three, 3)})
    after = replace(STANDING, signers={"governance": Signers({**three, "cd" * 32: "Robert"}, 2)})

    assert lines(before, after) == [
        f"governance: its signer Bob is called Robert (key {'cd' * 32})",
        "governance: 2 of 3 must sign (before: 3 of 3)",
    ]


def test_whoever_loses_the_last_signing_key_is_named() -> None:
    second = replace(KEY, kid="rs.ncp#sig-2026b")
    both = replace(STANDING, keys={KEY.kid: KEY, second.kid: second})
    one_gone = replace(both, revoked=(Stop(KEY.kid, NOW, "stolen"),))

    assert not any("without a signing key" in line for line in lines(both, one_gone))
    none_left = replace(one_gone, keys={KEY.kid: KEY, second.kid: replace(second, revoked_at=NOW)})
    assert any(line.startswith("rs.ncp: is left without a signing key") for line in lines(one_gone, none_left))
