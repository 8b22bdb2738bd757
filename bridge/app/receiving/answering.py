"""Signed receipts: the machine's word that a message is here, whole, verified and stored; or refused, with the code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.app.keys.choosing import CODE
from bridge.app.sending.make_message import Addressing, control_payload, sign_payload
from bridge.core.broker_names import alert_key, ingress_exchange
from bridge.core.directory import Directory
from bridge.core.ids import prefix_of
from bridge.core.verification import MAX_LIFETIME, Authenticated
from bridge.core.wire.payload import SealedPayload
from bridge.ports.clock import Ids
from bridge.ports.keys import Signer
from bridge.ports.store.no_gap import SentCopy
from bridge.ports.store.records import OutboxRow

# Rows of this relay hold a payload that no key has signed yet; no relay publishes them.
UNSIGNED: Final = "unsigned"
RECEIPT_LIFETIME: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers: a contact point, with its signer of this moment, by the membership list of this moment.

    Without a signer an answer waits in the outbox until there is one (`bridge.app.keys.sign_waiting`).
    """

    contact_point: str
    signer: Signer | None
    directory: Directory
    now: datetime
    ids: Ids


def receipt_row(message: Authenticated, *, code: str | None, by: Answering) -> OutboxRow:
    """The outbox row with a signed receipt for the proven signer of `message`: delivered, or rejected with `code`.

    It takes the lane of what it answers.
    """
    payload = message.payload
    if not isinstance(payload, SealedPayload):
        fault = "a control message is never answered"
        raise TypeError(fault)
    of = {"id": payload.id, "payload_sha256": message.payload_sha256, "sealed_sha256": payload.sealed_sha256}
    verdict = {"state": "delivered"} if code is None else {"state": "rejected", "code": code}
    addressing = Addressing(
        id=by.ids.new(by.now),
        kind="receipt",
        status=payload.status,
        urgency=payload.urgency,
        sender=by.contact_point,
        to=(message.sender.id,),
        sent=by.now,
        expires=by.now + RECEIPT_LIFETIME,
    )
    payload_bytes = control_payload(addressing, control={**verdict, "of": of}, directory=by.directory)
    wire_bytes = sign_payload(payload_bytes, None, by.signer) if by.signer else payload_bytes
    row = outbox_row(addressing, wire_bytes, country=prefix_of(message.sender.id), lane=payload.lane, ids=by.ids)
    return row if by.signer else replace(row, relay=UNSIGNED, is_kept=False, last_error=CODE)


def outbox_row(addressing: Addressing, wire_bytes: bytes, *, country: str, lane: str, ids: Ids) -> OutboxRow:
    """One publish of finished bytes towards one destination country or organisation prefix."""
    origin = prefix_of(addressing.sender)
    return OutboxRow(
        id=ids.new(addressing.sent),
        relay="publisher",
        exchange=ingress_exchange(origin),
        routing_key=alert_key(origin, country, lane=lane, kind=addressing.kind),
        country=country,
        lane=lane,
        kind=addressing.kind,
        sender=addressing.sender,
        message_id=addressing.id,
        sent=addressing.sent,
        expires=addressing.expires,
        wire_bytes=wire_bytes,
        created_at=addressing.sent,
    )


def repeated_row(sent: SentCopy, *, sender: str, recipient: str, lane: str, now: datetime, ids: Ids) -> OutboxRow:
    """One more publish of what was sent before, towards a recipient's country.

    The relay tries for as long as any message may live, from now on: this one may have expired long ago.
    """
    origin, country = prefix_of(sender), prefix_of(recipient)
    return OutboxRow(
        id=ids.new(now),
        relay="publisher",
        exchange=ingress_exchange(origin),
        routing_key=alert_key(origin, country, lane=lane, kind=sent.kind),
        country=country,
        lane=lane,
        kind=sent.kind,
        sender=sender,
        message_id=sent.message_id,
        sent=sent.sent,
        expires=now + MAX_LIFETIME,
        wire_bytes=sent.wire_bytes,
        created_at=now,
    )
