"""A contact point that lives: takes what arrives through steps 1 to 17, and reacts as its script says."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from bridge.adapters.jose.signatures import is_signature
from bridge.core.errors import VerificationError
from bridge.core.ids import prefix_of
from bridge.core.messages import ControlBody, ReceiptControl
from bridge.core.times import format_time
from bridge.core.verification import (
    HELD_CODES,
    Authenticated,
    AuthenticatedRefusal,
    Receiver,
    ReplayVerdict,
    SentDigests,
    TrustView,
    VerifiedMessage,
    authenticate,
    check_originator,
    control_of,
    judge_replay,
    open_message,
    read_receipt,
)
from bridge.core.wire.payload import SealedPayload
from bridge.counterparts.line import Arrival, Line
from bridge.counterparts.making import Made, Maker

ANSWER_AGAIN: Final = timedelta(minutes=1)


@dataclass
class Memory:
    """What a contact point must not forget; this one does when its process ends.

    Attributes:
        received: (from, id) -> payload digest.
        sent: (id, payload digest) -> what was sent.
        originators: thread -> who began it.
    """

    received: dict[tuple[str, str], str] = field(default_factory=dict)
    answered: dict[tuple[str, str], datetime] = field(default_factory=dict)
    sent: dict[tuple[str, str], Made] = field(default_factory=dict)
    originators: dict[str, str] = field(default_factory=dict)

    def keep(self, verified: VerifiedMessage) -> None:
        """Notes a message that was accepted, before anybody is told."""
        self.received[verified.message.key_of_message] = verified.message.payload_sha256
        if verified.body.thread is not None:
            self.originators.setdefault(verified.body.thread, verified.payload.sender)

    def send(self, made: Made) -> None:
        """Notes a message that is going out, before it does."""
        self.sent[made.id, made.payload_sha256] = made


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of an arrival: `code` and `step` of a refusal; `message` where a sender is proven.

    `control` is what a proven sender says, also where a receipt answers nothing that was sent.
    """

    arrival: Arrival
    message: Authenticated | None = None
    verified: VerifiedMessage | None = None
    control: ControlBody | None = None
    is_duplicate: bool = False
    code: str | None = None
    step: int | None = None

    @property
    def is_owed_an_answer(self) -> bool:
        """Whether a receipt is owed: to a proven sender, for anything but a control message or one that is held."""
        if self.message is None or self.code in HELD_CODES:
            return False
        return isinstance(self.message.payload, SealedPayload)


class Script(Protocol):
    """How a counterpart behaves."""

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """Does what it does about an arrival; the broker is told afterwards that it may forget it."""
        ...


@dataclass
class Counterpart:
    """One contact point on a line."""

    maker: Maker
    line: Line
    script: Script
    memory: Memory = field(default_factory=Memory)

    @property
    def id(self) -> str:
        """The contact point's id."""
        return self.maker.desk.id

    async def live(self) -> None:
        """Takes what arrives, until cancelled."""
        while True:
            await self.take(await self.line.arrivals.get())

    async def take(self, arrival: Arrival) -> None:
        """One arrival."""
        await self.script.react(self, self.judge(arrival))
        await arrival.acknowledge()

    def judge(self, arrival: Arrival) -> Judged:
        """Steps 1 to 17."""
        try:
            return self._judged(arrival)
        except AuthenticatedRefusal as refusal:
            return Judged(arrival, refusal.proven, code=refusal.code, step=refusal.step)
        except VerificationError as refusal:
            return Judged(arrival, code=refusal.code, step=refusal.step)

    def _judged(self, arrival: Arrival) -> Judged:
        directory = self.maker.directory
        message = authenticate(
            arrival.wire_bytes,
            trust=TrustView(directory, directory.version),
            receiver=Receiver(prefix_of(self.id), self.id),
            now=datetime.now(UTC),
            hints=arrival.hints,
            is_signature=is_signature,
        )
        if message.envelope.is_control:
            control = control_of(message)
            if isinstance(control, ReceiptControl):
                sent = self.memory.sent.get((control.of.id, control.of.payload_sha256))
                try:
                    read_receipt(control, sent=SentDigests(sent.payload_sha256, sent.sealed_sha256) if sent else None)
                except VerificationError as refusal:
                    return Judged(arrival, message, control=control, code=refusal.code, step=refusal.step)
            return Judged(arrival, message, control=control)
        known = self.memory.received.get(message.key_of_message)
        if judge_replay(message, known_digest=known) is ReplayVerdict.DUPLICATE:
            return Judged(arrival, message, is_duplicate=True)
        verified = open_message(message, contact_point=self.id, keys=self.maker.desk.opening_keys)
        originator = self.memory.originators.get(verified.body.thread or "")
        check_originator(verified, originator=originator)
        return Judged(arrival, message, verified)

    async def answer(self, judged: Judged) -> None:
        """Keeps what was accepted, and sends the receipt that is owed; for a duplicate at most once a minute."""
        if judged.verified is not None:
            self.memory.keep(judged.verified)
        if not judged.is_owed_an_answer or judged.message is None:
            return
        now, key = datetime.now(UTC), judged.message.key_of_message
        before = self.memory.answered.get(key)
        if judged.is_duplicate and before is not None and now - before < ANSWER_AGAIN:
            return
        self.memory.answered[key] = now
        await self.line.publish(self.receipt(judged.message, code=judged.code))

    def receipt(self, message: Authenticated, *, code: str | None = None, **of: str) -> Made:
        """A receipt: `delivered`, or `rejected` with a code. `of` changes what it says it answers."""
        payload = message.payload
        sealed = payload.sealed_sha256 if isinstance(payload, SealedPayload) else ""
        names = {"id": payload.id, "payload_sha256": message.payload_sha256, "sealed_sha256": sealed} | of
        control: dict[str, object] = {"state": "rejected" if code else "delivered", "of": names}
        said = self.maker.payload("receipt", message.sender.id, status=payload.status, urgency=payload.urgency)
        return self.maker.control(said, control | ({"code": code} if code else {}))

    def acknowledgement(self, judged: Judged, *, level: str, officer: str) -> Made:
        """A person's answer to an alert that was accepted, in its thread."""
        if judged.verified is None:
            raise ValueError("only what was accepted is acknowledged")
        verified = judged.verified
        to = verified.payload.sender
        payload = self.maker.payload(
            "acknowledgement", to, status=verified.payload.status, urgency=verified.payload.urgency
        )
        of = {"from": to, "id": verified.payload.id, "payload_sha256": verified.message.payload_sha256}
        answer: Mapping[str, object] = {
            "of": of,
            "level": level,
            "officer": officer,
            "at": format_time(datetime.now(UTC)),
            "thread": verified.body.thread,
            "references": [of],
        }
        return self.maker.sealed(payload, self.maker.body(payload, **answer))

    async def send(self, made: Made) -> None:
        """Notes and publishes a message of its own."""
        self.memory.send(made)
        await self.line.publish(made)

    async def send_after(self, seconds: float, made: Made) -> None:
        """The same, later."""
        await asyncio.sleep(seconds)
        await self.send(made)
