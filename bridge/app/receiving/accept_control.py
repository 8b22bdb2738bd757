"""Control messages at a contact point: none of them is ever answered by a receipt.

Receipts move the sender's ledger, heartbeats open and close gaps, requests for missing numbers are answered with the
messages themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.app.no_gap.noting_heartbeats import note_heartbeats
from bridge.app.no_gap.resending import AnswerResendRequests
from bridge.app.receiving.refusing import refusal_of
from bridge.core.directory import Directory
from bridge.core.errors import VerificationError
from bridge.core.messages import ControlBody, HeartbeatControl, ReceiptControl, ResendRequestControl
from bridge.core.verification import Authenticated, SentDigests, control_of, read_receipt
from bridge.ports.broker import Delivery
from bridge.ports.clock import Ids
from bridge.ports.keys import Desk
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import ReceiptRow, Refusal


@dataclass(frozen=True, slots=True)
class DeliveredControl:
    """A delivered control message that passed steps 1 to 12."""

    delivery: Delivery
    message: Authenticated


@dataclass(frozen=True, slots=True)
class AcceptControl:
    """Accepts for one contact point, in the caller's transaction, as of one moment."""

    unit: UnitOfWork
    desk: Desk
    directory: Directory
    now: datetime
    ids: Ids

    async def accept(self, delivered: Sequence[DeliveredControl]) -> list[Refusal | None]:
        """Stores verified receipts, heeds heartbeats, answers requests; answers one refusal or `None` each, in order.

        A receipt counts only when it answers what we really sent to its signer, digests included (`E_RECEIPT`).
        """
        verdicts = [_read(item.message) for item in delivered]
        errors = [verdict if isinstance(verdict, VerificationError) else None for verdict in verdicts]
        receipts = [
            (index, item.message, verdict)
            for index, (item, verdict) in enumerate(zip(delivered, verdicts, strict=True))
            if isinstance(verdict, ReceiptControl)
        ]
        if receipts:
            for index, error in await self._accept_receipts(receipts):
                errors[index] = error
        senders = [item.message.payload.sender for item in delivered]
        said = list(zip(senders, verdicts, strict=True))
        await self._heed([(by, beat) for by, beat in said if isinstance(beat, HeartbeatControl)])
        requests = AnswerResendRequests(self.unit, self.desk, self.directory, self.now, self.ids)
        for by, request in said:
            if isinstance(request, ResendRequestControl):
                await requests.answer(by, request)
        return [
            refusal_of(item.delivery, error, contact_point=self.desk.id, at=self.now, ids=self.ids) if error else None
            for item, error in zip(delivered, errors, strict=True)
        ]

    async def _accept_receipts(
        self, receipts: Sequence[tuple[int, Authenticated, ReceiptControl]]
    ) -> list[tuple[int, VerificationError]]:
        """Stores those that answer what was sent; what was asked for again has arrived with them."""
        keys = [(control.of.id, message.payload.sender) for _, message, control in receipts]
        sent = await self.unit.ledger.digests_sent(keys, sender=self.desk.id)
        checked = [
            (index, message, control, _check(control, sent.get(key)))
            for (index, message, control), key in zip(receipts, keys, strict=True)
        ]
        rows = [_row(message, control, self.now) for _, message, control, error in checked if error is None]
        if rows:
            await self.unit.ledger.add_receipts(rows)
            arrived = [(row.message_id, row.recipient) for row in rows]
            await self.unit.asked_again.settle(self.desk.id, arrived, self.now)
        return [(index, error) for index, _, _, error in checked if error is not None]

    async def _heed(self, beats: Sequence[tuple[str, HeartbeatControl]]) -> None:
        if beats:
            await note_heartbeats(self.unit, beats, contact_point=self.desk.id, now=self.now)


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
