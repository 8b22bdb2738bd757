"""Attacks by the broker itself: it may write to every queue, and has no key of anybody.

Each function makes one message; the decorator says what it must earn.
"""

from __future__ import annotations

import json
import secrets

from forging.wire_forge import protected_of, to_json
from siege import BROKER, Attacks, Injection, Siege
from thief import STRANGERS

from bridge.core import broker_names as names
from bridge.core.wire import base64url

ATTACKS = Attacks()
INBOX = names.inbox_queue("at.ncp", "urgent")


@ATTACKS.earns("E_SIGNATURE", step=7)
def the_signature_stripped_and_made_anew(siege: Siege) -> Injection:
    return Injection(siege.thief.message(private=STRANGERS), by=BROKER)


@ATTACKS.earns("E_KEY_UNKNOWN", step=6, is_held=True)
def the_signature_made_anew_under_a_key_in_no_list(siege: Siege) -> Injection:
    return Injection(siege.thief.message(signed_by=["rs.ncp#sig-forged"], private=STRANGERS), by=BROKER)


@ATTACKS.earns("E_SIGNATURE", step=7)
def one_word_of_a_genuine_alert_changed(siege: Siege) -> Injection:
    envelope = json.loads(siege.genuine["rs"])
    changed = base64url.decode(envelope["payload"]).replace(b'"immediate"', b'"expected"')
    return Injection(to_json(envelope | {"payload": base64url.encode(changed)}), by=BROKER)


@ATTACKS.earns("E_SEAL_DIGEST", step=8)
def the_sealed_body_of_one_genuine_alert_in_another(siege: Siege) -> Injection:
    other = json.loads(siege.genuine["hu"])["sealed"]
    return Injection(siege.thief.message(edit=lambda envelope: envelope.update(sealed=other)), by=BROKER)


@ATTACKS.earns("E_SIGNATURE", step=7, queue=INBOX)
def a_forgery_put_into_the_inbox_past_the_router(siege: Siege) -> Injection:
    return Injection(siege.thief.message(private=STRANGERS), exchange="", key=INBOX, by=BROKER)


@ATTACKS.earns("E_NOT_RECIPIENT", step=10, queue=INBOX)
def another_countrys_message_put_into_the_inbox_past_the_router(siege: Siege) -> Injection:
    astray = siege.thief.message(siege.thief.payload(to=["hu.ncp"]))
    return Injection(astray, exchange="", key=INBOX, by=BROKER)


@ATTACKS.earns("E_JSON", step=2, queue=names.dead_queue("at"))
def garbage_among_the_dead_letters(_: Siege) -> Injection:
    return Injection(b"dead " + secrets.token_bytes(100), exchange="", key=names.dead_queue("at"), by=BROKER)


@ATTACKS.earns("E_ROUTE_MISMATCH", step=9)
def a_genuine_alert_under_another_senders_routing_key(siege: Siege) -> Injection:
    """Past the ingress exchanges, which only the broker itself can be."""
    return Injection(siege.thief.message(), exchange=names.ALERTS, key="hu.at.urgent.route_alert", by=BROKER)


@ATTACKS.earns("E_HEADER", step=4)
def a_key_confused_with_a_secret(siege: Siege) -> Injection:
    header = protected_of(siege.thief.kid, typ="ncp-bridge+jws", changes={"alg": "HS256"})
    part = [{"protected": header, "signature": base64url.encode(secrets.token_bytes(32))}]
    return Injection(siege.thief.message(edit=lambda envelope: envelope.update(signatures=part)), by=BROKER)
