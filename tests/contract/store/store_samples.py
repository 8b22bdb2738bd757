"""Rows for the store's contract, each valid by itself; a test names only what it is about."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from bridge.ports.store.records import (
    AuditEntry,
    InboxItem,
    OutboxRow,
    OutgoingMessage,
    OutgoingRecipient,
    ReceiptRow,
    Refusal,
    SequenceUse,
)
from bridge.ports.vault import BodyAtRest

NOW = datetime(2026, 11, 23, 18, 40, 1, 234567, tzinfo=UTC)
BODY = BodyAtRest(wrapped_key=b"\x00key\xff", ciphertext=b"\x00cipher\xff")

_serial = count(1)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def message_id() -> str:
    return f"0193a1b2-0000-7000-8000-{next(_serial):012x}"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:43]


def recipient(contact_point: str, **given: object) -> OutgoingRecipient:
    made = OutgoingRecipient(contact_point, contact_point[:2].upper(), ("transit", "destination"), "corridor", "a leg")
    return replace(made, **given)


def outgoing(*recipients: str, **given: object) -> OutgoingMessage:
    own = message_id()
    made = OutgoingMessage(
        id=own,
        sender="rs.ncp",
        kind="route_alert",
        status="actual",
        urgency="immediate",
        lane="urgent",
        thread=own,
        sent=NOW,
        expires=later(86400),
        payload_sha256=digest(f"payload {own}"),
        sealed_sha256=digest(f"sealed {own}"),
        wire_bytes=f"\x00wire {own}\xff".encode("latin-1"),
        body=BODY,
        recipients=tuple(recipient(to) for to in recipients or ("at.ncp", "hu.ncp")),
    )
    return replace(made, **given)


def outbox_row(**given: object) -> OutboxRow:
    own = message_id()
    made = OutboxRow(
        id=own,
        relay="publisher",
        exchange="from.rs",
        routing_key="rs.at.normal.route_alert",
        country="at",
        lane="normal",
        kind="route_alert",
        sender="rs.ncp",
        message_id=own,
        sent=NOW,
        expires=later(86400),
        wire_bytes=f"\x00publish {own}\xff".encode("latin-1"),
        created_at=NOW,
    )
    return replace(made, **given)


def item(**given: object) -> InboxItem:
    own = str(given.get("id", message_id()))
    made = InboxItem(
        contact_point="at.ncp",
        id=own,
        sender="rs.ncp",
        kind="route_alert",
        schema="urn:ncp-bridge:route_alert:1.0",
        status="actual",
        urgency="immediate",
        lane="urgent",
        thread=own,
        sent=NOW,
        expires=later(86400),
        received_at=later(1),
        acknowledge_by=later(3601),
        state="new",
        payload_sha256=digest(f"payload {own}"),
        sealed_sha256=digest(f"sealed {own}"),
        wire_bytes=f"\x00received {own}\xff".encode("latin-1"),
        body=BODY,
    )
    return replace(made, **given)


def receipt(of: OutgoingMessage, by: str, *, state: str = "delivered", code: str | None = None) -> ReceiptRow:
    own = message_id()
    return ReceiptRow(of.id, by, own, state, code, of.payload_sha256, later(5), f"receipt {own}".encode())


def refusal(**given: object) -> Refusal:
    own = message_id()
    made = Refusal(
        id=own,
        code="E_SIGNATURE",
        step=7,
        detail="the signature does not verify",
        at=NOW,
        queue="inbox.at.ncp.urgent",
        contact_point="at.ncp",
        properties={"type": "route_alert", "user_id": None},
        wire_bytes=f"\x00refused {own}\xff".encode("latin-1"),
    )
    return replace(made, **given)


def use(number: int, message: str = "", **given: object) -> SequenceUse:
    made = SequenceUse("at.ncp", "rs.ncp", 1, "urgent", number, message or f"message-{number}")
    return replace(made, **given)


def entry(subject: str, **given: object) -> AuditEntry:
    return replace(AuditEntry(NOW, "Ana Anić", "body.read", "at.ncp", subject, {"level": "read"}), **given)
