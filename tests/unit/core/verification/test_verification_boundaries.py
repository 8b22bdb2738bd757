"""What the verification accepts: the good messages, and the last value on the good side of each boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from forging.refusals_before_proof import OF, PAYLOAD_BYTES, RECEIPT
from forging.refusals_of_bodies import CANCEL
from forging.refusals_of_the_proven import GOOD_HINTS, SENT
from forging.wire_forge import (
    DAY,
    DIRECTORY,
    MILLISECOND,
    NOW,
    PRIVATE,
    TO,
    Arrival,
    body_of,
    digest,
    forge,
    forge_control,
    id_of,
    payload_of,
    receive,
    reference,
    text_of,
    to_json,
    with_contact_point,
    with_key,
)

from bridge.adapters.jose.desk import StoredSigner
from bridge.adapters.jose.private_keys import PrivateKeys
from bridge.adapters.jose.sealing import seal
from bridge.adapters.jose.signatures import is_signature
from bridge.app.sending.make_message import Addressing, make_control, make_sealed
from bridge.core.messages import HeartbeatControl, ReceiptControl, ResendRequestControl
from bridge.core.verification import (
    Receiver,
    ReplayVerdict,
    TrustView,
    VerifiedMessage,
    authenticate,
    control_of,
    judge_replay,
    open_message,
)
from bridge.core.wire import base64url
from bridge.core.wire.strict_json import parse_object

if TYPE_CHECKING:
    from bridge.core.verification import Authenticated

TOLERANCE = timedelta(seconds=120)
SIGNER = StoredSigner(PrivateKeys({"rs.ncp#sig-a": PRIVATE["rs.ncp#sig-a"]}), "rs.ncp#sig-a")
ADDRESSING = Addressing(
    id=id_of(NOW), kind="route_alert", status="actual", urgency="immediate", sender="rs.ncp", to=TO, sent=NOW,
    expires=NOW + 30 * DAY, reply_within_s=3600,
)  # fmt: skip


def authenticated(arrival: Arrival) -> Authenticated:
    return authenticate(
        arrival.wire_bytes, trust=TrustView(arrival.directory, arrival.highest_version), receiver=arrival.receiver,
        now=arrival.now, hints=arrival.hints, is_signature=is_signature,
    )  # fmt: skip


@pytest.mark.parametrize("contact_point", TO)
def test_what_this_bridge_makes_passes_every_step_for_every_recipient(contact_point: str) -> None:
    # given
    made = make_sealed(
        ADDRESSING, body=body_of(), numbers={"at.ncp": 877, "hu.ncp": 1042}, epoch=3, directory=DIRECTORY,
        signer=SIGNER, seal=seal,
    )  # fmt: skip
    arrival = Arrival(
        made.wire_bytes, receiver=Receiver(contact_point[:2], contact_point),
        held_kids=("at.ncp#enc-a", "at.ncp#enc-old", "hu.ncp#enc-a"),
    )  # fmt: skip
    # when
    verified = receive(arrival)
    # then
    assert isinstance(verified, VerifiedMessage)
    assert (verified.plaintext_bytes, verified.message.payload_sha256) == (made.plaintext_bytes, made.payload_sha256)
    assert verified.payload.sealed_sha256 == made.sealed_sha256
    assert verified.body.members == parse_object(made.plaintext_bytes)
    assert {name: value for name, value in verified.body.members.items() if name != "salt"} == body_of()
    assert len(base64url.decode(str(verified.body.members["salt"]))) == 32


def test_a_body_is_salted_anew_each_time_so_equal_bodies_cannot_be_told_by_their_commitments() -> None:
    # when
    made = [
        make_sealed(
            ADDRESSING, body=body_of(), numbers=dict.fromkeys(TO, 1), epoch=3, directory=DIRECTORY, signer=SIGNER,
            seal=seal,
        )
        for _ in range(2)
    ]  # fmt: skip
    # then
    first, second = (parse_object(each.plaintext_bytes) for each in made)
    assert first.pop("salt") != second.pop("salt")
    assert first == second


@pytest.mark.parametrize(
    ("kind", "control", "model"),
    [
        ("receipt", RECEIPT, ReceiptControl),
        ("receipt", {"state": "rejected", "code": "E_DECRYPT", "of": OF}, ReceiptControl),
        (
            "heartbeat",
            {"epoch": 3, "urgent": {"first": 870, "last": 877}, "normal": {"first": 1, "last": 1}},
            HeartbeatControl,
        ),
        ("resend_request", {"epoch": 3, "lane": "urgent", "numbers": [875, 876]}, ResendRequestControl),
    ],
)
def test_control_messages_that_this_bridge_makes_are_read(kind: str, control: dict[str, object], model: type) -> None:
    # given
    addressing = replace(ADDRESSING, kind=kind, to=("at.ncp",), reply_within_s=None)
    made = make_control(addressing, control=control, directory=DIRECTORY, signer=SIGNER)
    # when
    read = receive(Arrival(made.wire_bytes, sent=SENT))
    # then
    assert isinstance(read, model)
    assert read.model_dump(mode="json", exclude_defaults=True, exclude_none=True) == control


ACCEPTED = {
    "agreeing hints": lambda: Arrival(forge(), hints=GOOD_HINTS),
    "hints behind an exchange whose keys say nothing": lambda: Arrival(
        forge(), hints=replace(GOOD_HINTS, routing_key=None, user_id=None)
    ),
    "a key in the normal lane": lambda: Arrival(
        forge({"urgency": "expected"}), hints=replace(GOOD_HINTS, routing_key="rs.at.normal.route_alert")
    ),
    "a list confirmed a millisecond less than 45 days ago": lambda: Arrival(
        forge(), directory=replace(DIRECTORY, signed_at=NOW - 45 * DAY + MILLISECOND)
    ),
    "a list newer than the sender's": lambda: Arrival(forge({"trust": {"network": "see", "version": 41}})),
    "a list older than the sender's": lambda: Arrival(forge({"trust": {"network": "see", "version": 99}})),
    "a clock a millisecond before verify_until": lambda: Arrival(
        forge(), directory=with_key("rs.ncp#sig-a", verify_until=NOW + MILLISECOND)
    ),
    "sent a millisecond before sign_until": lambda: Arrival(
        forge(), directory=with_key("rs.ncp#sig-a", use_until=NOW + MILLISECOND)
    ),
    "read after sign_until and before verify_until": lambda: Arrival(
        forge(), now=NOW + 20 * DAY, directory=with_key("rs.ncp#sig-a", use_until=NOW + DAY)
    ),
    "sent 120 seconds ahead": lambda: Arrival(forge(base=payload_of(sent=NOW + TOLERANCE))),
    "a clock a millisecond before expires": lambda: Arrival(
        forge(),
        now=NOW + 30 * DAY - MILLISECOND,
        directory=replace(DIRECTORY, signed_at=NOW),
    ),
    "a lifetime of a millisecond": lambda: Arrival(
        forge({"expires": text_of(NOW + MILLISECOND)}),
    ),
    "an id 120 seconds before sent": lambda: Arrival(forge(base=payload_of() | {"id": id_of(NOW - TOLERANCE)})),
    "an id 120 seconds after sent": lambda: Arrival(forge(base=payload_of() | {"id": id_of(NOW + TOLERANCE)})),
    "an exercise": lambda: Arrival(forge({"status": "exercise"})),
    "a test to a desk in test": lambda: Arrival(
        forge({"status": "test"}), directory=with_contact_point("at.ncp", mode="test")
    ),
    "signed again with a new key": lambda: Arrival(forge(signed_by=["rs.ncp#sig-b"])),
    "a message sealed again": lambda: Arrival(forge({"replaces": id_of(NOW - DAY)})),
    "no time to reply within": lambda: Arrival(forge({"urgency": "past"}, base=_without_reply())),
    "an unknown member under a higher minor": lambda: Arrival(
        forge({"schema": "urn:ncp-bridge:route_alert:1.1"}, body={"weather": "snow"})
    ),
    "an update of one's own alert": lambda: Arrival(
        forge(kind="alert_update", body={"supersedes": reference("rs.ncp"), "change_summary": "Now by night."}),
        originator="rs.ncp",
    ),
    "a cancellation of one's own alert in a thread unknown here": lambda: Arrival(
        forge(kind="alert_cancel", body={"supersedes": reference("rs.ncp")} | CANCEL)
    ),
}


def _without_reply() -> dict[str, object]:
    return {name: value for name, value in payload_of().items() if name != "reply_within_s"}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_message_on_the_good_side_of_a_boundary_is_accepted(name: str) -> None:
    assert isinstance(receive(ACCEPTED[name]()), VerifiedMessage)


def test_a_plaintext_of_128_kib_is_accepted() -> None:
    # given
    short = len(padded_plaintext(""))
    # when
    verified = receive(
        Arrival(forge({"schema": "urn:ncp-bridge:route_alert:1.1"}, body=padded_plaintext("x" * (128 * 1024 - short))))
    )
    # then
    assert isinstance(verified, VerifiedMessage)
    assert len(verified.plaintext_bytes) == 128 * 1024


def padded_plaintext(padding: str) -> bytes:
    return to_json({"salt": "A" * 43} | body_of() | {"padding": padding})


def test_a_router_lets_pass_what_one_of_its_desks_may_receive_and_needs_no_private_key() -> None:
    # given
    directory = with_contact_point("at.border-police", receives=frozenset({"receipt"}))
    to = ["at.border-police", "at.ncp", "hu.ncp"]
    wire_bytes = forge(base=payload_of(to=to))
    # when
    message = authenticated(Arrival(wire_bytes, directory=directory, receiver=Receiver("at")))
    # then
    assert message.payload.to == tuple(to)
    assert message.sender.id == "rs.ncp"


def test_the_same_payload_is_a_duplicate_even_under_a_new_signature() -> None:
    # given
    first = authenticated(Arrival(forge(PAYLOAD_BYTES, sealed="{}")))
    # when
    again = authenticated(Arrival(forge(PAYLOAD_BYTES, sealed="{}", signed_by=["rs.ncp#sig-b"])))
    # then
    assert again.wire_bytes != first.wire_bytes
    assert judge_replay(first, known_digest=None) is ReplayVerdict.NEW
    assert judge_replay(again, known_digest=first.payload_sha256) is ReplayVerdict.DUPLICATE


def test_a_message_is_known_by_its_signer_and_id_and_its_digest_is_that_of_the_payloads_bytes() -> None:
    # when
    message = authenticated(Arrival(forge()))
    # then
    assert message.key_of_message == ("rs.ncp", id_of(NOW))
    assert message.payload_sha256 == digest(message.envelope.payload_bytes)


def test_a_verified_message_cannot_be_made_without_verifying() -> None:
    # given
    verified = receive(Arrival(forge()))
    assert isinstance(verified, VerifiedMessage)
    # then
    with pytest.raises(TypeError, match="open_message only"):
        VerifiedMessage(verified.message, verified.payload, verified.body, verified.plaintext_bytes, object())


def test_a_caller_who_takes_one_form_for_the_other_is_told_so() -> None:
    # given
    control, sealed = authenticated(Arrival(forge_control(RECEIPT))), authenticated(Arrival(forge()))
    # then
    with pytest.raises(TypeError, match="no sealed body"):
        open_message(control, contact_point="at.ncp", keys=None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not a control message"):
        control_of(sealed)
