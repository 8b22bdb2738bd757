"""From a verified message to the row an officer will see."""

from __future__ import annotations

from datetime import datetime

from bridge.core.messages import AcknowledgementBody, Reference, acknowledge_within
from bridge.core.verification import Authenticated, VerifiedMessage
from bridge.core.wire.payload import SealedPayload
from bridge.ports.store.records import InboxItem
from bridge.ports.vault import BodyAtRest


def body_context(contact_point: str, sender: str, message_id: str) -> str:
    """What a body at rest is bound to: whose copy of which message."""
    return f"{contact_point}/{sender}/{message_id}"


def received_item(verified: VerifiedMessage, *, contact_point: str, at: datetime, body: BodyAtRest) -> InboxItem:
    """The row of an accepted message; the clock for the acknowledgement starts at receipt."""
    payload, known = verified.payload, verified.body.known
    within = acknowledge_within(payload.kind, payload.urgency)
    return _item(
        verified.message,
        payload,
        contact_point=contact_point,
        at=at,
        state="new",
        thread=verified.body.thread,
        acknowledge_by=at + within if within is not None else None,
        body=body,
        supersedes=verified.supersedes,
        of=known.of if isinstance(known, AcknowledgementBody) else None,
    )


def expired_stub(message: Authenticated, *, contact_point: str, at: datetime) -> InboxItem:
    """What is left of an expired message: who sent something when, so that an officer can ask."""
    payload = message.payload
    if not isinstance(payload, SealedPayload):
        fault = "a control message leaves no stub"
        raise TypeError(fault)
    return _item(message, payload, contact_point=contact_point, at=at, state="expired", thread=payload.id)


def _item(  # noqa: PLR0913 - the columns of one row
    message: Authenticated,
    payload: SealedPayload,
    *,
    contact_point: str,
    at: datetime,
    state: str,
    thread: str,
    acknowledge_by: datetime | None = None,
    body: BodyAtRest | None = None,
    supersedes: Reference | None = None,
    of: Reference | None = None,
) -> InboxItem:
    return InboxItem(
        contact_point=contact_point,
        id=payload.id,
        sender=payload.sender,
        kind=payload.kind,
        schema=payload.schema_urn,
        status=payload.status,
        urgency=payload.urgency,
        lane=payload.lane,
        thread=thread,
        sent=payload.sent,
        expires=payload.expires,
        received_at=at,
        acknowledge_by=acknowledge_by,
        state=state,
        payload_sha256=message.payload_sha256,
        sealed_sha256=payload.sealed_sha256,
        wire_bytes=message.wire_bytes,
        body=body,
        supersedes=supersedes.id if supersedes else None,
        supersedes_from=supersedes.sender if supersedes else None,
        of=of.id if of else None,
        of_from=of.sender if of else None,
    )
