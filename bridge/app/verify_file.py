"""Verifies one wire message from a file, offline: the steps of an arrival, as far as there is something to judge by.

Steps whose input is missing are skipped and named: 9 in part without the AMQP properties, 13 and 14 without a state,
15 to 17 without opening keys. Step 18 stores, which a file does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bridge.core.directory import Directory
from bridge.core.errors import VerificationError
from bridge.core.ids import prefix_of
from bridge.core.messages import ReceiptControl
from bridge.core.verification import (
    Authenticated,
    Hints,
    OpeningKeys,
    Receiver,
    SentDigests,
    SignatureCheck,
    TrustView,
    authenticate,
    check_originator,
    control_of,
    judge_replay,
    open_message,
    read_receipt,
)
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope

LAST_STEP: Final = 17
HINTS, REPLAY, SEQUENCE, SEALED = 9, 13, 14, (15, 16, 17)


@dataclass(frozen=True, slots=True)
class KnownState:
    """What a recipient knew when the message arrived.

    Attributes:
        highest_version: the highest membership list version ever seen.
        seen: (from, id) -> payload_sha256 of the messages that were here before.
        sent: (id, recipient) -> what this recipient itself had sent; receipts are held against it.
        threads: thread -> the contact point that began it.
    """

    highest_version: int = 0
    seen: Mapping[tuple[str, str], str] = field(default_factory=dict)
    sent: Mapping[tuple[str, str], SentDigests] = field(default_factory=dict)
    threads: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """`ok` with the last step done, or the step and code of the first failure; `skipped` names steps not judged."""

    ok: bool
    step: int
    code: str | None
    detail: str
    skipped: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """By what a file is judged; `None` where nothing is known."""

    directory: Directory
    now: datetime
    is_signature: SignatureCheck
    recipient: str | None = None
    keys: OpeningKeys | None = None
    hints: Hints | None = None
    state: KnownState | None = None


def verify_file(wire_bytes: bytes, given: Circumstances) -> FileVerdict:
    """The verdict on a message; without a recipient it is judged for the first contact point that it names."""
    skipped = set() if given.hints else {HINTS}
    try:
        recipient = given.recipient or _first_recipient(wire_bytes)
        state = given.state or KnownState()
        version = max(state.highest_version, given.directory.version)
        message = authenticate(
            wire_bytes,
            trust=TrustView(given.directory, version if given.state else given.directory.version),
            receiver=Receiver(prefix_of(recipient), recipient),
            now=given.now,
            hints=given.hints,
            is_signature=given.is_signature,
        )
        if message.envelope.is_control:
            step = _judge_control(message, given, skipped)
        else:
            step = _judge_sealed(message, given, recipient, skipped)
    except VerificationError as error:
        return FileVerdict(
            ok=False, step=error.step, code=error.code, detail=error.message, skipped=_sorted(skipped, error.step)
        )
    detail = f"{message.payload.kind} from {message.sender.id}, verified for {recipient}"
    if not message.envelope.is_control and message.key_of_message in state.seen:
        detail += "; a duplicate: it was here before, and is only answered again"
    return FileVerdict(ok=True, step=step, code=None, detail=detail, skipped=_sorted(skipped, LAST_STEP))


def _judge_control(message: Authenticated, given: Circumstances, skipped: set[int]) -> int:
    control = control_of(message)
    if given.state is None:
        skipped.add(REPLAY)
        return REPLAY - 1
    if isinstance(control, ReceiptControl):
        read_receipt(control, sent=given.state.sent.get((control.of.id, message.payload.sender)))
    return REPLAY


def _judge_sealed(message: Authenticated, given: Circumstances, recipient: str, skipped: set[int]) -> int:
    if given.state is None:
        skipped |= {REPLAY, SEQUENCE}
    else:
        judge_replay(message, known_digest=given.state.seen.get(message.key_of_message))
    if given.keys is None:
        skipped |= set(SEALED)
        return SEQUENCE if given.state else REPLAY - 1
    verified = open_message(message, contact_point=recipient, keys=given.keys)
    if given.state is not None:
        check_originator(verified, originator=given.state.threads.get(verified.body.thread))
    return LAST_STEP


def _first_recipient(wire_bytes: bytes) -> str:
    """Unverified, and only to choose for whom to verify; what is wrong here fails at its own step."""
    try:
        named = strict_json.parse_object(parse_envelope(wire_bytes).payload_bytes).get("to")
    except strict_json.StrictJsonError:
        return ""
    return named[0] if isinstance(named, list) and named and isinstance(named[0], str) else ""


def _sorted(skipped: set[int], last: int) -> tuple[int, ...]:
    return tuple(sorted(step for step in skipped if step <= last))
