"""Attacks through a real broker with a member's stolen account and keys.

Each function makes one message that is wrong in one thing; the decorator says what it must earn.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from forging.wire_forge import digest, id_of, text_of, to_json
from siege import Attacks, Injection, Siege
from thief import STRANGERS, payload_in, with_two_plaintexts

from bridge.adapters.system import RandomIds
from bridge.core.wire import base64url
from bridge.core.wire.envelope import MAX_MESSAGE_BYTES
from bridge.core.wire.sealed import seal_binding

ATTACKS = Attacks()


# What is no message, or not signed as it says.


@ATTACKS.earns("E_JSON", step=2)
def bytes_that_are_no_text(_: Siege) -> Injection:
    return Injection(b"\xff\xfe" + secrets.token_bytes(2000))


@ATTACKS.earns("E_SIZE", step=1)
def a_message_of_more_than_a_megabyte(siege: Siege) -> Injection:
    return Injection(siege.thief.message() + b" " * MAX_MESSAGE_BYTES)


@ATTACKS.earns("E_JSON", step=2)
def a_member_twice_of_which_each_parser_takes_another(siege: Siege) -> Injection:
    return Injection(siege.thief.message()[:-1] + b',"seal\\u0065d":"{}"}')


@ATTACKS.earns("E_JSON", step=2)
def brackets_that_exhaust_a_stack(_: Siege) -> Injection:
    return Injection(b'{"payload":' + b"[" * 500_000 + b"]" * 500_000 + b"}")


@ATTACKS.earns("E_ENVELOPE", step=3)
def a_message_that_nobody_signed(siege: Siege) -> Injection:
    return Injection(siege.thief.message(edit=lambda envelope: envelope.update(signatures=[])))


@ATTACKS.earns("E_HEADER", step=4)
def the_algorithm_none(siege: Siege) -> Injection:
    return Injection(siege.thief.message(header={"alg": "none"}))


@ATTACKS.earns("E_HEADER", step=4)
def a_header_with_a_key_of_its_own(siege: Siege) -> Injection:
    jwk = {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}
    return Injection(siege.thief.message(header={"jwk": jwk}, private=STRANGERS))


@ATTACKS.earns("E_SIG_POLICY", step=7)
def two_members_who_sign_one_message_together(siege: Siege) -> Injection:
    both = {**siege.thief.signers, **siege.rival.signers}
    return Injection(replace(siege.thief, signers=both).message(signed_by=list(both)))


@ATTACKS.earns("E_SENDER", step=9)
def a_message_in_another_members_name(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(from_="hu.ncp")))


@ATTACKS.earns("E_NETWORK", step=8)
def a_message_of_another_network(siege: Siege) -> Injection:
    version = siege.thief.directory.version
    return Injection(siege.thief.message(siege.thief.payload(trust={"network": "exercise", "version": version})))


@ATTACKS.earns("E_SCHEMA", step=8)
def a_draft(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(status="draft")))


# The way it takes.


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9)
def the_urgent_lane_for_what_is_signed_as_routine(siege: Siege) -> Injection:
    payload = siege.thief.payload(urgency="expected")
    return Injection(siege.thief.message(payload), key="rs.at.urgent.route_alert")


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9)
def the_routing_key_of_another_kind(siege: Siege) -> Injection:
    return Injection(siege.thief.message(), key="rs.at.urgent.receipt")


@ATTACKS.earns("E_NOT_RECIPIENT", step=10)
def what_is_for_another_country(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(to=["hu.ncp"])))


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9, where="hu")
def a_copy_to_a_country_past_its_own_ingress(siege: Siege) -> Injection:
    return Injection(siege.thief.message(), headers={"CC": ["rs.hu.urgent.route_alert"]})


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9, where="hu")
def a_blind_copy_of_which_the_first_recipient_sees_nothing(siege: Siege) -> Injection:
    return Injection(siege.thief.message(), headers={"BCC": ["rs.hu.urgent.route_alert"]})


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9)
def a_property_that_names_another_sender(siege: Siege) -> Injection:
    return Injection(siege.thief.message(), hints={"app_id": "hu.ncp"})


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9)
def a_property_that_names_another_message(siege: Siege) -> Injection:
    return Injection(siege.thief.message(), hints={"correlation_id": payload_in(siege.genuine["rs"])["id"]})


# What its own good signature does not cover.


@ATTACKS.earns("E_NOT_AUTHORISED", step=11)
def traffic_of_a_test_for_a_live_desk(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(status="test")))


@ATTACKS.earns("E_EXPIRED", step=12)
def a_message_that_is_over(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(expires=text_of(_now() - timedelta(seconds=1)))))


@ATTACKS.earns("E_LIFETIME", step=12)
def a_message_that_lives_for_a_year(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(expires=text_of(_now() + timedelta(days=365)))))


@ATTACKS.earns("E_ID", step=12)
def an_id_of_last_week(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(id=RandomIds().new(_now() - timedelta(days=7)))))


@ATTACKS.earns("E_FUTURE", step=12, is_held=True)
def a_message_of_tomorrow(siege: Siege) -> Injection:
    tomorrow = _now() + timedelta(days=1)
    times = {"id": id_of(tomorrow), "sent": text_of(tomorrow), "expires": text_of(tomorrow + timedelta(days=1))}
    return Injection(siege.thief.message(siege.thief.payload(**times)))


@ATTACKS.earns("E_EQUIVOCATION", step=13)
def another_body_under_the_id_of_an_alert_that_arrived(siege: Siege) -> Injection:
    known = payload_in(siege.genuine["rs"])
    payload = {name: value for name, value in known.items() if not name.endswith("_sha256")}
    return Injection(siege.thief.message(payload, body={"title": "All is well, nobody need do anything"}))


@ATTACKS.earns("E_RECIPIENTS", step=15)
def a_hidden_recipient(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(to=["at.ncp"]), sealed_to=["at.ncp", "hu.ncp"]))


@ATTACKS.earns("E_RECIPIENTS", step=15)
def a_body_that_the_named_recipient_cannot_open(siege: Siege) -> Injection:
    return Injection(siege.thief.message(siege.thief.payload(to=["at.ncp"]), sealed_to=["hu.ncp"]))


@ATTACKS.earns("E_SEAL_BINDING", step=15)
def a_body_that_was_sealed_for_another_message(siege: Siege) -> Injection:
    payload = siege.thief.payload()
    return Injection(siege.thief.message(payload, aad=seal_binding(RandomIds().new(_now()), "rs.ncp", payload["to"])))


@ATTACKS.earns("E_DECRYPT", step=15)
def a_point_off_the_curve(siege: Siege) -> Injection:
    return Injection(
        siege.thief.message(edit_seal=lambda jwe: jwe["recipients"][0]["header"]["epk"].update(x="A" * 43))
    )


@ATTACKS.earns("E_SEAL", step=15)
def a_body_that_is_to_be_decompressed(siege: Siege) -> Injection:
    zipped = base64url.encode(to_json({"enc": "A256GCM", "zip": "DEF"}))
    return Injection(siege.thief.message(edit_seal=lambda jwe: jwe.update(protected=zipped)))


@ATTACKS.earns("E_COMMITMENT", step=16)
def one_ciphertext_with_another_body_for_each_recipient(siege: Siege) -> Injection:
    payload = siege.thief.payload()
    sealed, committed = with_two_plaintexts(siege.thief, payload)
    return Injection(siege.thief.message(payload, digests={"body_sha256": digest(committed)}, sealed=sealed))


@ATTACKS.earns("E_BODY", step=17)
def a_body_with_a_member_twice(siege: Siege) -> Injection:
    payload = siege.thief.payload()
    plaintext = to_json(siege.thief.plaintext(payload))
    return Injection(siege.thief.message(payload, body=plaintext[:-1] + b',"title":"x"}'))


@ATTACKS.earns("E_BODY_SCHEMA", step=17)
def a_body_that_breaks_the_rules(siege: Siege) -> Injection:
    return Injection(siege.thief.message(body={"labour_sector": []}))


@ATTACKS.earns("E_NOT_ORIGINATOR", step=17)
def an_update_of_another_members_alert(siege: Siege) -> Injection:
    return Injection(siege.thief.update_of(_reference_to(siege.genuine["hu"])))


@ATTACKS.earns("E_RECEIPT", step=13)
def a_receipt_that_nobody_earned(siege: Siege) -> Injection:
    of = {"id": RandomIds().new(_now()), "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43}
    return Injection(siege.thief.control("receipt", {"state": "delivered", "of": of}))


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9)
def a_message_passed_off_as_a_control_message(siege: Siege) -> Injection:
    payload = siege.thief.payload()
    typ = "ncp-bridge-control+jws"
    return Injection(siege.thief.message(payload, typ=typ, edit=lambda envelope: envelope.pop("sealed")))


def _now() -> datetime:
    return datetime.now(UTC)


def _reference_to(wire_bytes: bytes) -> dict[str, str]:
    said = payload_in(wire_bytes)
    payload_bytes = base64url.decode(json.loads(wire_bytes)["payload"])
    return {"from": said["from"], "id": said["id"], "payload_sha256": digest(payload_bytes)}
