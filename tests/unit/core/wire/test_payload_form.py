"""The signed payload's form (wire-format: Payload, Control messages): exactly these members, each in its alphabet."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bridge.core.wire.payload import ControlPayload, SealedPayload, read_payload

ABSENT = object()
MESSAGE_ID = "0193b0a0-89ab-7000-8000-0123456789ab"

# The specification's example, its abbreviations written out.
SEALED = {
    "v": 1,
    "id": MESSAGE_ID,
    "kind": "route_alert",
    "schema": "urn:ncp-bridge:route_alert:1.0",
    "status": "actual",
    "urgency": "immediate",
    "from": "rs.ncp",
    "to": ["at.ncp", "hu.ncp"],
    "sent": "2026-11-23T18:40:01.234Z",
    "expires": "2026-12-23T18:40:01.234Z",
    "reply_within_s": 3600,
    "seq": {"epoch": 3, "n": {"at.ncp": 877, "hu.ncp": 1042}},
    "trust": {"network": "see", "version": 42},
    "sealed_sha256": "A" * 43,
    "body_sha256": "B" * 42 + "A",
}
CONTROL = {name: value for name, value in SEALED.items() if name not in ("seq", "sealed_sha256", "body_sha256")} | {
    "kind": "receipt",
    "schema": "urn:ncp-bridge:receipt:1.0",
    "to": ["at.ncp"],
    "control": {"state": "delivered"},
}

NOT_AN_ID = (
    MESSAGE_ID.upper(), MESSAGE_ID.replace("-", ""), "{" + MESSAGE_ID + "}", f"urn:uuid:{MESSAGE_ID}",
    MESSAGE_ID + "\n",
    MESSAGE_ID.replace("-7", "-4", 1), MESSAGE_ID.replace("-8000", "-c000"), "", 1, None, [MESSAGE_ID],
)  # fmt: skip
NOT_A_CONTACT_POINT = (
    "RS.ncp", "srb.ncp", "r.ncp", "rs", "rs.", "rs.n_p", "rs.n.p", "rs.ncp ", "rs.ncp\n", ".ncp", "rs." + "n" * 33,
    "\u0440s.ncp", "", None, 1, ["rs.ncp"],
)  # fmt: skip
NOT_A_TIME = (
    "2026-11-23T18:40:01Z", "2026-11-23T18:40:01.23Z", "2026-11-23T18:40:01.2345Z", "2026-11-23T18:40:01.234+00:00",
    "2026-11-23T18:40:01.234z", "2026-11-23t18:40:01.234Z", "2026-11-23 18:40:01.234Z", "2026-11-23T18:40:01,234Z",
    "2026-11-23T18:40:60.000Z", "2026-11-23T24:00:00.000Z", "2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z",
    "0000-01-01T00:00:00.000Z", "2026-11-23T18:40:01.234Z\n", "٢٠٢٦-11-23T18:40:01.234Z", "", 1795459201, None,
)  # fmt: skip
NOT_A_DIGEST = ("A" * 42, "A" * 44, "A" * 43 + "=", "A" * 42 + "B", "A" * 42 + "+", "", 1, None)
NOT_A_COUNT = (-1, True, "1", None, [1], 2**53)

FAULTS: dict[str, tuple[object, ...]] = {
    "v": (2, 0, -1, True, "1", None, [1]),
    "id": NOT_AN_ID,
    "kind": ("Route_alert", "route-alert", "", "x" * 41, None, 1, ["route_alert"], {"route_alert": 1}),
    "schema": (
        "urn:ncp-bridge:route_alert:1", "urn:ncp-bridge:route_alert:1.0.0", "urn:ncp-bridge:route_alert:1.0\n",
        "URN:ncp-bridge:route_alert:1.0", "urn:ncp-bridge:route_alert:-1.0", "route_alert:1.0", "", None, 1,
    ),
    "status": ("draft", "Actual", "", None, 1),
    "urgency": ("now", "IMMEDIATE", "", None, 1),
    "from": NOT_A_CONTACT_POINT,
    "to": ([], "at.ncp", {"at.ncp": 1}, None, 1, [None], ["at.ncp", 1], ["at.ncp", ["hu.ncp"]], ["at.ncp", "HU.ncp"]),
    "sent": NOT_A_TIME,
    "expires": NOT_A_TIME,
    "reply_within_s": (-1, 0, True, "3600", None, [3600], 31 * 86400 + 1),
    "seq": (
        {}, {"epoch": 3}, {"n": {"at.ncp": 1, "hu.ncp": 1}}, {"epoch": 3, "n": {}}, {"epoch": 3, "n": {"at.ncp": 1}},
        {"epoch": 3, "n": {"at.ncp": 1, "hu.ncp": 1, "mk.ncp": 1}}, {"epoch": 3, "n": [1, 2]}, [], None, 3,
        {"epoch": 3, "n": {"at.ncp": 1, "hu.ncp": 1}, "lane": "urgent"},
        *({"epoch": 3, "n": {"at.ncp": count, "hu.ncp": 1}} for count in NOT_A_COUNT),
        *({"epoch": count, "n": {"at.ncp": 1, "hu.ncp": 1}} for count in (0, *NOT_A_COUNT)),
    ),
    "trust": (
        {}, {"network": "see"}, {"version": 42}, {"network": "", "version": 42}, {"network": 1, "version": 42}, None,
        {"network": "see", "version": 42, "list": 1}, *({"network": "see", "version": count} for count in NOT_A_COUNT),
    ),
    "sealed_sha256": NOT_A_DIGEST,
    "body_sha256": NOT_A_DIGEST,
    "replaces": NOT_AN_ID,
}  # fmt: skip
# "Nothing else may stand here", and the model's own names for members are nothing that stands on the wire.
FORBIDDEN = ("thread", "references", "child", "exploitation", "nationality", "title", "control", "salt", "sender",
             "schema_urn", "lane", "Id", "")  # fmt: skip
FAULTY = [(name, value) for name, values in FAULTS.items() for value in values]
MANDATORY = [name for name in SEALED if name != "reply_within_s"]


def as_received(members: dict[str, object]) -> dict[str, object]:
    """The members as a parser gives them."""
    received: dict[str, object] = json.loads(
        json.dumps({name: value for name, value in members.items() if value is not ABSENT})
    )
    return received


def test_the_specifications_example_is_read() -> None:
    # when
    payload = read_payload(as_received(SEALED))
    # then
    assert isinstance(payload, SealedPayload)
    assert payload.model_dump(mode="json", exclude_none=True) == SEALED
    assert payload.sent == datetime(2026, 11, 23, 18, 40, 1, 234000, tzinfo=UTC)
    assert payload.lane == "urgent"


@pytest.mark.parametrize(("name", "value"), FAULTY, ids=[f"{name}={value!r}"[:60] for name, value in FAULTY])
def test_a_member_in_another_form_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError):
        read_payload(as_received(SEALED | {name: value}))


@pytest.mark.parametrize("name", MANDATORY)
def test_a_payload_without_one_of_its_members_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        read_payload(as_received(SEALED | {name: ABSENT}))


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_member_that_the_format_does_not_name_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        read_payload(as_received(SEALED | {name: "x"}))


@pytest.mark.parametrize(("wire_name", "model_name"), [("from", "sender"), ("schema", "schema_urn")])
def test_a_member_is_known_by_its_name_on_the_wire_only(wire_name: str, model_name: str) -> None:
    with pytest.raises(ValidationError):
        read_payload(as_received(SEALED | {wire_name: ABSENT, model_name: SEALED[wire_name]}))


def test_a_float_is_no_count_even_where_a_lax_parser_let_it_through() -> None:
    for name in ("v", "reply_within_s"):
        with pytest.raises(ValidationError):
            read_payload(SEALED | {name: 1.0})


def test_replaces_and_reply_within_s_may_be_absent_or_there() -> None:
    # when
    payload = read_payload(as_received(SEALED | {"replaces": MESSAGE_ID, "reply_within_s": ABSENT}))
    # then
    assert isinstance(payload, SealedPayload)
    assert (payload.replaces, payload.reply_within_s) == (MESSAGE_ID, None)


@pytest.mark.parametrize(("count", "is_read"), [(1, True), (64, True), (65, False)])
def test_one_to_64_recipients_are_read(*, count: int, is_read: bool) -> None:
    # given
    to = [f"at.desk-{number:02d}" for number in range(count)]
    members = as_received(SEALED | {"to": to, "seq": {"epoch": 1, "n": dict.fromkeys(to, 0)}})
    # when
    try:
        read = bool(read_payload(members))
    except ValidationError:
        read = False
    # then
    assert read is is_read


@pytest.mark.parametrize(
    ("urgency", "lane"),
    [("immediate", "urgent"), ("expected", "normal"), ("future", "normal"), ("past", "normal"), ("unknown", "normal")],
)
def test_only_an_immediate_message_takes_the_urgent_lane(urgency: str, lane: str) -> None:
    assert read_payload(as_received(SEALED | {"urgency": urgency})).lane == lane


@pytest.mark.parametrize("kind", ["receipt", "heartbeat", "resend_request"])
def test_a_control_kind_is_read_as_a_control_payload(kind: str) -> None:
    # when
    payload = read_payload(as_received(CONTROL | {"kind": kind, "schema": f"urn:ncp-bridge:{kind}:1.0"}))
    # then
    assert isinstance(payload, ControlPayload)
    assert payload.control == {"state": "delivered"}


NOT_CONTROL = {
    "no control": {"control": ABSENT},
    "control that is a text": {"control": "delivered"},
    "control that is a list": {"control": []},
    "control that is null": {"control": None},
    "two recipients": {"to": ["at.ncp", "hu.ncp"]},
    "no recipient": {"to": []},
    "seq": {"seq": {"epoch": 3, "n": {"at.ncp": 1}}},
    "sealed_sha256": {"sealed_sha256": "A" * 43},
    "body_sha256": {"body_sha256": "A" * 43},
    "sealed": {"sealed": "{}"},
    "replaces": {"replaces": MESSAGE_ID},
}


@pytest.mark.parametrize("change", NOT_CONTROL.values(), ids=NOT_CONTROL)
def test_a_control_payload_carries_control_for_one_recipient_and_nothing_of_a_sealed_message(
    change: dict[str, object],
) -> None:
    with pytest.raises(ValidationError):
        read_payload(as_received(CONTROL | change))
