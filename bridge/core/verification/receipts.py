"""Receipts and other control messages after steps 1 to 12 (wire-format: Control messages)."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.core.errors import VerificationError
from bridge.core.messages import ReceiptControl, read_control
from bridge.core.verification.authenticate import Authenticated, control_payload


@dataclass(frozen=True, slots=True)
class SentDigests:
    """What we sent to the contact point that answers."""

    payload_sha256: str
    sealed_sha256: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A machine's signed word: whole, verified, stored; or refused with a code."""

    message: Authenticated
    control: ReceiptControl


def read_receipt(message: Authenticated, *, sent: SentDigests | None) -> Receipt:
    """The receipt, given what we sent under its `of.id` to this very sender (`None`: nothing).

    Raises:
        VerificationError: `E_RECEIPT`; never answered.
    """
    control = receipt_of(message)
    if sent is None:
        raise _refuse("it answers nothing that was sent to this contact point")
    if (control.of.payload_sha256, control.of.sealed_sha256) != (sent.payload_sha256, sent.sealed_sha256):
        raise _refuse("its digests are not those of what was sent")
    return Receipt(message, control)


def receipt_of(message: Authenticated) -> ReceiptControl:
    """What the receipt says, unverified against the ledger; `E_RECEIPT` for another form."""
    payload = control_payload(message)
    control = read_control(payload.kind, payload.schema_urn, payload.control)
    if not isinstance(control, ReceiptControl):
        raise _refuse("its control member is not a receipt")
    return control


def _refuse(detail: str) -> VerificationError:
    return VerificationError(13, "E_RECEIPT", detail)
