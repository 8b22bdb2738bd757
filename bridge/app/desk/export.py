"""One message as a file: its marking first, then what it says, what proves it, and what became of it; logged.

The signed message and the signed receipts are in it byte for byte, so that anybody can verify them with
`ncp-bridge message verify`; everything else is for reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.desk.open_message import OpenMessages, Version
from bridge.core.times import format_time
from bridge.core.wire import base64url
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.desk import ItemId
from bridge.ports.store.records import AuditEntry, OutgoingRecipient, ReceiptRow

MARKING: Final = ("tlp", "handling", "handling_note", "classification", "purpose", "legal_basis", "retain_until")


@dataclass(frozen=True, slots=True)
class ExportMessages:
    """Exports for the contact points of one node."""

    opening: OpenMessages
    store: Store
    clock: Clock

    async def export(self, contact_point: str, item: ItemId, *, officer: str, reason: str = "") -> Mapping[str, object]:
        """The message as one JSON object.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`; `E_REASON`, there is none and the kind asks for one.
        """
        opened = await self.opening.open(contact_point, item, officer=officer, reason=reason, marks_read=False)
        now = self.clock.now()
        async with self.store.writing() as unit:
            receipts = await unit.desk.receipts(opened.message.id) if opened.recipients else ()
            detail = {"from": opened.message.sender}
            await unit.audit.add(
                [AuditEntry(now, officer, "message.exported", contact_point, opened.message.id, detail)]
            )
        return {
            "marking": {name: opened.body[name] for name in MARKING if name in opened.body},
            "status": opened.message.status,
            "exported": {"by": officer, "at": format_time(now), "contact_point": contact_point},
            "payload": opened.payload,
            "signatures": list(opened.kids),
            "payload_sha256": opened.message.payload_sha256,
            "body": opened.body or None,
            "answers": [_answer(one) for one in opened.answers],
            "recipients": [_recipient(one) for one in opened.recipients],
            "thread": [_version(one) for one in opened.thread],
            "wire": base64url.encode(opened.message.wire_bytes),
            "receipts": [_receipt(one) for one in receipts],
        }


def _answer(one: AuditEntry) -> Mapping[str, object]:
    officer = one.detail.get("officer", one.actor)
    return {"officer": officer, "at": format_time(one.at), "level": one.detail["level"], "id": one.detail["answer"]}


def _recipient(one: OutgoingRecipient) -> Mapping[str, object]:
    return {
        "id": one.id,
        "state": one.state,
        "sent_at": _time(one.sent_at),
        "delivered_at": _time(one.delivered_at),
        "acknowledged_at": _time(one.acknowledged_at),
        "level": one.level,
        "code": one.code,
    }


def _version(one: Version) -> Mapping[str, object]:
    return {"from": one.sender, "id": one.id, "kind": one.kind, "at": format_time(one.at), "supersedes": one.supersedes}


def _receipt(one: ReceiptRow) -> Mapping[str, object]:
    return {
        "recipient": one.recipient,
        "state": one.state,
        "code": one.code,
        "at": format_time(one.received_at),
        "wire": base64url.encode(one.wire_bytes),
    }


def _time(at: datetime | None) -> str | None:
    return format_time(at) if at is not None else None
