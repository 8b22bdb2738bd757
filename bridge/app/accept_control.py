"""Control messages at a contact point: receipts move the sender's ledger; none of them is ever answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.app.refusing import refusal_of
from bridge.core.errors import VerificationError
from bridge.core.messages import ControlBody, ReceiptControl
from bridge.core.verification import Authenticated, SentDigests, control_of, read_receipt
from bridge.ports.broker import Delivery
from bridge.ports.clock import Ids
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import AuditEntry, ReceiptRow, Refusal


@dataclass(frozen=True, slots=True)
class DeliveredControl:
    """A delivered control message that passed steps 1 to 12."""

    delivery: Delivery
    message: Authenticated


async def accept_control(
    unit: UnitOfWork, delivered: Sequence[DeliveredControl], *, contact_point: str, now: datetime, ids: Ids
) -> list[Refusal | None]:
    """Stores verified receipts, notes heartbeats and resend requests; answers one refusal or `None` each, in order.

    A receipt counts only when it answers what we really sent to its signer, digests included (`E_RECEIPT`).
    """
    verdicts = [_read(item.message) for item in delivered]
    answered = [
        (control.of.id, item.message.payload.sender)
        for item, control in zip(delivered, verdicts, strict=True)
        if isinstance(control, ReceiptControl)
    ]
    sent = await unit.ledger.digests_sent(answered, sender=contact_point) if answered else {}
    refusals: list[Refusal | None] = []
    rows: list[ReceiptRow] = []
    noted: list[AuditEntry] = []
    for item, control in zip(delivered, verdicts, strict=True):
        payload = item.message.payload
        error = control if isinstance(control, VerificationError) else None
        if isinstance(control, ReceiptControl):
            error = _check(control, sent.get((control.of.id, payload.sender)))
            if error is None:
                rows.append(_row(item.message, control, now))
        elif error is None:
            detail = {"from": payload.sender, "kind": payload.kind}
            noted.append(AuditEntry(now, contact_point, "control.received", contact_point, payload.id, detail))
        refusals.append(
            refusal_of(item.delivery, error, contact_point=contact_point, at=now, ids=ids) if error else None
        )
    if rows:
        await unit.ledger.add_receipts(rows)
    if noted:
        await unit.audit.add(noted)
    return refusals


def _read(message: Authenticated) -> ControlBody | VerificationError:
    try:
        return control_of(message)
    except VerificationError as error:
        return error


def _check(control: ReceiptControl, digests: tuple[str, str] | None) -> VerificationError | None:
    try:
        read_receipt(control, sent=SentDigests(*digests) if digests else None)
    except VerificationError as error:
        return error
    return None


def _row(message: Authenticated, control: ReceiptControl, now: datetime) -> ReceiptRow:
    return ReceiptRow(
        message_id=control.of.id,
        recipient=message.payload.sender,
        receipt_id=message.payload.id,
        state=control.state,
        code=control.code,
        payload_sha256=control.of.payload_sha256,
        received_at=now,
        wire_bytes=message.wire_bytes,
    )
