"""The bridge reads what two other implementations make, and they read what the bridge makes; and all refuse alike."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import bridge_as_a_peer
import jwcrypto_peer
import node_peer
import pytest
from forging import refusals_before_proof, refusals_of_bodies, refusals_of_the_proven
from forging.wire_forge import DIRECTORY, PRIVATE, Arrival, forge
from refused import RefusedError
from sample_messages import (
    SENDER,
    KeyPair,
    acknowledgement_body,
    acknowledgement_fields,
    body,
    payload_fields,
    receipt_fields,
)
from strict_text import decode, encode, sha256

from bridge.core.messages import AcknowledgementBody, ReceiptControl, RouteAlertBody
from bridge.core.verification import SentDigests

if TYPE_CHECKING:
    from types import ModuleType

    from forging.refusals_before_proof import Case
    from strict_text import JsonObject

pytestmark = pytest.mark.node

PEERS = pytest.mark.parametrize("peer", [jwcrypto_peer, node_peer], ids=["jwcrypto", "jose"])
COUNTS = pytest.mark.parametrize("count", [1, 5, 12])
RECEIPTS = pytest.mark.parametrize("outcome", [{"state": "delivered"}, {"state": "rejected", "code": "E_DECRYPT"}])
KINDS = pytest.mark.parametrize("kind", ["route_alert", "acknowledgement"])

DIGESTS = {"payload_sha256": "A" * 43, "sealed_sha256": "B" * 42 + "A"}
TWELVE = sorted(
    ["al.ncp", "at.ncp", "ba.ncp", "bg.ncp", "de.bka-desk", "gr.ncp", "hr.ncp", "hu.ncp", "me.ncp", "mk.ncp", "ro.ncp",
     "xo.icmpd"]
)  # fmt: skip


@pytest.fixture(scope="session")
def twelve_keys() -> list[KeyPair]:
    return [KeyPair(f"{recipient}#enc-2026a") for recipient in TWELVE]


def content_of(kind: str, to: list[str]) -> tuple[JsonObject, JsonObject]:
    """Payload fields and a whole body of a kind."""
    if kind == "route_alert":
        return payload_fields(to), body()
    fields = acknowledgement_fields(to)
    return fields, acknowledgement_body({"from": to[0], "id": fields["id"], "payload_sha256": "A" * 43})


@PEERS
@KINDS
@COUNTS
def test_every_recipient_reads_with_the_bridge_what_a_peer_made(
    peer: ModuleType, kind: str, count: int, signing_key: KeyPair, twelve_keys: list[KeyPair]
) -> None:
    # given
    keys = twelve_keys[:count]
    fields, content = content_of(kind, TWELVE[:count])
    # when
    raw_bytes = peer.make_message(
        fields,
        content,
        signing=(signing_key.kid, signing_key.private),
        recipients=[(key.kid, key.public) for key in keys],
    )
    # then
    for key in keys:
        verified = bridge_as_a_peer.read_message(raw_bytes, signing_key=signing_key, sealing_keys=keys, opening_key=key)
        assert verified.message.sender.id == SENDER
        assert verified.payload.to == tuple(TWELVE[:count])
        assert isinstance(verified.body.known, RouteAlertBody if kind == "route_alert" else AcknowledgementBody)
        assert {name: verified.body.members[name] for name in content} == content
        assert set(verified.body.members) - set(content) == {"salt"}
        assert verified.message.payload_sha256 == sha256(decode(json.loads(raw_bytes)["payload"]))


@PEERS
@KINDS
@COUNTS
def test_every_recipient_reads_with_a_peer_what_the_bridge_made(
    peer: ModuleType, kind: str, count: int, signing_key: KeyPair, twelve_keys: list[KeyPair]
) -> None:
    # given
    keys = twelve_keys[:count]
    fields, content = content_of(kind, TWELVE[:count])
    # when
    made = bridge_as_a_peer.made_sealed(fields, content, signing_key=signing_key, sealing_keys=keys)
    # then
    for key in {keys[0].kid: keys[0], keys[-1].kid: keys[-1]}.values():
        payload, read = peer.read_message(
            made.wire_bytes, signing_public={signing_key.kid: signing_key.public}, opening=(key.kid, key.private)
        )
        assert payload == fields | {
            "sealed_sha256": made.sealed_sha256,
            "body_sha256": sha256(made.plaintext_bytes),
        }
        assert read == content | {"salt": read["salt"]}


@PEERS
@RECEIPTS
def test_a_receipt_of_a_peer_is_read_by_the_bridge(
    peer: ModuleType, outcome: JsonObject, signing_key: KeyPair, twelve_keys: list[KeyPair]
) -> None:
    # given
    fields = receipt_fields("hu.ncp")
    control = outcome | {"of": {"id": fields["id"]} | DIGESTS}
    # when
    raw_bytes = peer.make_control(fields, control, signing=(signing_key.kid, signing_key.private))
    # then
    read = bridge_as_a_peer.read_control(
        raw_bytes, signing_key=signing_key, sealing_keys=twelve_keys, to="hu.ncp", sent=SentDigests(**DIGESTS)
    )
    assert isinstance(read, ReceiptControl)
    assert read.model_dump(mode="json", exclude_none=True) == control


@PEERS
@RECEIPTS
@pytest.mark.parametrize("reply_within", [{"reply_within_s": 3600}, {}], ids=["with-reply-time", "without"])
def test_a_receipt_of_the_bridge_is_read_by_a_peer(
    peer: ModuleType, outcome: JsonObject, reply_within: JsonObject, signing_key: KeyPair
) -> None:
    # given
    fields = {
        name: value for name, value in receipt_fields("hu.ncp").items() if name != "reply_within_s"
    } | reply_within
    control = outcome | {"of": {"id": fields["id"]} | DIGESTS}
    # when
    made = bridge_as_a_peer.made_control(fields, control, signing_key=signing_key)
    # then
    payload = peer.verify(made.wire_bytes, signing_public={signing_key.kid: signing_key.public})
    assert payload == fields | {"control": control}


# What a peer without store, list and clock can judge: the form, the signatures, the digests and the seal.
JUDGED_BY_PEERS = {
    "E_SIZE", "E_JSON", "E_ENVELOPE", "E_HEADER", "E_KEY_UNKNOWN", "E_SIG_POLICY", "E_SIGNATURE", "E_PAYLOAD",
    "E_SCHEMA", "E_SEAL_DIGEST", "E_SENDER", "E_ROUTE_MISMATCH", "E_NOT_RECIPIENT", "E_SEAL", "E_SEAL_BINDING",
    "E_RECIPIENTS", "E_NO_KEY", "E_DECRYPT", "E_COMMITMENT", "E_BODY",
}  # fmt: skip
# A peer knows neither the kinds nor the forms that bodies have, and no policy of a member's.
UNKNOWN_TO_PEERS = {"a kind that nobody knows", "one of two algorithms missing"}


def is_judged_by_peers(case: Case) -> bool:
    """Whether the fault is in the bytes alone and of a sort that a peer looks at."""
    return (
        case.code in JUDGED_BY_PEERS
        and case.name not in UNKNOWN_TO_PEERS
        and replace(case.arrival(), wire_bytes=b"") == Arrival(b"")
    )


CASES = [
    case
    for case in (*refusals_before_proof.CASES, *refusals_of_the_proven.CASES, *refusals_of_bodies.CASES)
    if is_judged_by_peers(case)
]
IDS = [f"{case.step}-{case.code}-{case.name}" for case in CASES]


def jwk_pair(kid: str) -> tuple[dict[str, str], dict[str, str]]:
    numbers = PRIVATE[kid].private_numbers()
    x, y, d = (
        encode(number.to_bytes(32, "big"))
        for number in (numbers.public_numbers.x, numbers.public_numbers.y, numbers.private_value)
    )
    public = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
    return public, public | {"d": d}


SIGNING_PUBLIC = {kid: jwk_pair(kid)[0] for kid in DIRECTORY.signing_keys}
OPENING = ("at.ncp#enc-a", jwk_pair("at.ncp#enc-a")[1])


@pytest.fixture(scope="module")
def forged() -> list[bytes]:
    return [case.arrival().wire_bytes for case in CASES]


@pytest.fixture(scope="module")
def codes_of_node(forged: list[bytes]) -> list[str]:
    answers = node_peer.read_each(forged, signing_public=SIGNING_PUBLIC, opening=OPENING)
    return [answer.code if isinstance(answer, RefusedError) else "read" for answer in answers]


@pytest.mark.parametrize("place", range(len(CASES)), ids=IDS)
def test_what_the_bridge_refuses_for_its_form_the_peers_refuse_with_the_same_code(
    place: int, forged: list[bytes], codes_of_node: list[str]
) -> None:
    # given: that the bridge refuses it with this code is tested beside the table of refusals
    expected = CASES[place].code
    # when
    with pytest.raises(RefusedError) as by_jwcrypto:
        jwcrypto_peer.read_message(forged[place], signing_public=SIGNING_PUBLIC, opening=OPENING)
    # then
    assert (by_jwcrypto.value.code, codes_of_node[place]) == (expected, expected)


def test_the_peers_read_the_forgers_message_when_nothing_is_forged() -> None:
    # given
    wire_bytes = forge()
    # when
    by_jwcrypto = jwcrypto_peer.read_message(wire_bytes, signing_public=SIGNING_PUBLIC, opening=OPENING)
    (by_node,) = node_peer.read_each([wire_bytes], signing_public=SIGNING_PUBLIC, opening=OPENING)
    # then
    assert by_jwcrypto == by_node
    assert by_jwcrypto[1]["title"].startswith("Felszállás")


def test_the_peers_are_asked_about_every_code_that_they_can_judge() -> None:
    assert {case.code for case in CASES} == JUDGED_BY_PEERS
