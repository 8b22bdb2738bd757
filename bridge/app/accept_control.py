"""Control messages at a contact point: receipts move the sender's ledger; none of them is ever answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bridge.app.authenticating import Judged
from bridge.app.refusing import refusal_of
from bridge.core.errors import VerificationError
from bridge.core.messages import ReceiptControl
from bridge.core.verification import Authenticated, SentDigests, control_of, read_receipt
from bridge.ports.clock import Ids
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import AuditEntry, ReceiptRow, Refusal


async def accept_control(
    unit: UnitOfWork, judged: Sequence[Judged], *, contact_point: str, now: datetime, ids: Ids
) -> list[Refusal]:
    """Stores verified receipts, notes heartbeats and resend requests; answers what was refused, for quarantine.

    A receipt counts only when it answers what we really sent to its signer, digests included (`E_RECEIPT`).
    """
    refusals: list[Refusal] = []
    read: list[tuple[Judged, Authenticated, ReceiptControl]] = []
    noted: list[AuditEntry] = []
    for item in judged:
        if not isinstance(item.verdict, Authenticated):
            continue
        message = item.verdict
        try:
            control = control_of(message)
        except VerificationError as error:
            refusals.append(refusal_of(item.delivery, error, contact_point=contact_point, at=now, ids=ids))
            continue
        if isinstance(control, ReceiptControl):
            read.append((item, message, control))
        else:
            detail = {"from": message.payload.sender, "kind": message.payload.kind}
            noted.append(AuditEntry(now, contact_point, "control.received", contact_point, message.payload.id, detail))
    answered = [(control.of.id, message.payload.sender) for _, message, control in read]
    sent = await unit.ledger.digests_sent(answered, sender=contact_point)
    rows: list[ReceiptRow] = []
    for item, message, control in read:
        digests = sent.get((control.of.id, message.payload.sender))
        try:
            read_receipt(control, sent=SentDigests(*digests) if digests else None)
        except VerificationError as error:
            refusals.append(refusal_of(item.delivery, error, contact_point=contact_point, at=now, ids=ids))
        else:
            rows.append(_row(message, control, now))
    if rows:
        await unit.ledger.add_receipts(rows)
    if noted:
        await unit.audit.add(noted)
    return refusals


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
