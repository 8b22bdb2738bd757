"""Control messages after steps 1 to 12 (wire-format: Control messages). What is wrong with one is `E_RECEIPT`."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.core.errors import VerificationError
from bridge.core.messages import ControlBody, ReceiptControl, impersonal, read_control
from bridge.core.verification.authenticate import Authenticated
from bridge.core.wire.payload import ControlPayload

# Receipts take the place of steps 13 to 17: they are held against the ledger instead of the replay table.
STEP = 13


@dataclass(frozen=True, slots=True)
class SentDigests:
    """What we sent to the contact point that answers."""

    payload_sha256: str
    sealed_sha256: str


def control_of(message: Authenticated) -> ControlBody:
    """The control member of a control message.

    Raises:
        VerificationError: `E_RECEIPT` when it has not the form of its kind.
        TypeError: for a sealed message, which is a fault of the caller.
    """
    payload = message.payload
    if not isinstance(payload, ControlPayload):
        fault = f"{payload.kind} is not a control message"
        raise TypeError(fault)
    control = read_control(payload.kind, payload.schema_urn, payload.control)
    if isinstance(control, tuple):
        raise VerificationError(STEP, "E_RECEIPT", impersonal(control[0]))
    return control


def read_receipt(control: ReceiptControl, *, sent: SentDigests | None) -> None:
    """Holds a receipt against what we sent under its `of.id` to its signer (`None`: nothing).

    Raises:
        VerificationError: `E_RECEIPT`; never answered.
    """
    if sent is None:
        raise VerificationError(STEP, "E_RECEIPT", "it answers nothing that was sent to this contact point")
    if (control.of.payload_sha256, control.of.sealed_sha256) != (sent.payload_sha256, sent.sealed_sha256):
        raise VerificationError(STEP, "E_RECEIPT", "its digests are not those of what was sent")
