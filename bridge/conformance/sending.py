"""Cases of a sender: what it sends when it is asked to is exactly what the format says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bridge.conformance.bench import Bench, kind_in, payload_in
from bridge.conformance.case import Case, FailedCaseError, SkippedCaseError
from bridge.core.messages import HeartbeatControl
from bridge.core.verification import SENDER_STEP, Hints
from bridge.core.wire.payload import CONTROL_KINDS, SealedPayload
from bridge.counterparts.counterpart import Judged

Run = Callable[[Bench], Awaitable[str]]

SEALED_STEP: Final = 15
COMMITTED_STEP: Final = 16
BODY_STEP: Final = 17
ONCE_SECONDS: Final = 1.5


def _steps(first: int, last: int) -> Run:
    """Both samples pass these steps."""

    async def run(bench: Bench) -> str:
        for judged in await bench.samples():
            if judged.step is not None and judged.step < first:
                raise SkippedCaseError(f"it does not get that far: {judged.code} at step {judged.step}")
            if judged.step is not None and judged.step <= last:
                raise FailedCaseError(f"{judged.code} at step {judged.step}")
        return f"steps {first} to {last} passed" if last > first else f"step {first} passed"

    return run


def _said(judged: Judged) -> dict[str, Any]:
    return payload_in(judged.arrival.wire_bytes)


async def _properties(bench: Bench) -> str:
    for judged in await bench.samples():
        said, arrival = _said(judged), judged.arrival
        hints = bench.hints_of(arrival)
        for name in ("correlation_id", "type", "app_id"):
            signed = said.get({"correlation_id": "id", "type": "kind", "app_id": "from"}[name])
            if getattr(hints, name) != signed:
                raise FailedCaseError(f"{name} is {getattr(hints, name)}, signed is {signed}")
        _check_route(hints, said, bench)
        if arrival.content_type != "application/jose+json":
            raise FailedCaseError(f"content_type is {arrival.content_type}")
        if not arrival.message_id:
            raise FailedCaseError("no message_id")
    return "as they should be"


def _check_route(hints: Hints, said: dict[str, Any], bench: Bench) -> None:
    lane = "urgent" if said.get("urgency") == "immediate" else "normal"
    expected = f"{bench.target[:2]}.{bench.own.id[:2]}.{lane}.{said.get('kind')}"
    if hints.routing_key != expected:
        raise FailedCaseError(f"the routing key is {hints.routing_key}, expected {expected}")
    if hints.copied:
        raise FailedCaseError("CC or BCC")


async def _persistent(bench: Bench) -> str:
    if not all(judged.arrival.is_persistent for judged in await bench.samples()):
        raise FailedCaseError("delivery_mode is not 2")
    return "delivery_mode 2"


async def _numbers(bench: Bench) -> str:
    sequences = [_said(judged).get("seq") for judged in await bench.samples()]
    try:
        (first_epoch, first), (second_epoch, second) = ((seq["epoch"], seq["n"][bench.own.id]) for seq in sequences)  # type: ignore[index] # what is missing is told
    except (KeyError, TypeError):
        raise FailedCaseError("no number for this recipient in seq") from None
    if type(first) is not int or type(second) is not int:
        raise FailedCaseError("a number that is no whole number in seq")
    if second_epoch != first_epoch:
        raise FailedCaseError(f"epochs {first_epoch} and {second_epoch}")
    if second != first + 1:
        raise FailedCaseError(f"{second} after {first}")
    return f"{second} after {first}"


async def _once(bench: Bench) -> str:
    samples = await bench.samples()
    await asyncio.sleep(ONCE_SECONDS)
    for sample in samples:
        said = _said(sample)
        count = sum(_said(judged).get("id") == said.get("id") for judged in bench.messages)
        if count != 1:
            raise FailedCaseError(f"{count} publishes of one message to one country")
    return "one publish each"


async def _resend(bench: Bench) -> str:
    sample = (await bench.samples())[0]
    sent, maker = sample.message.payload if sample.message else None, bench.own.maker
    if not isinstance(sent, SealedPayload):
        raise SkippedCaseError(f"what it sends is not read: {sample.code} at step {sample.step}")
    epoch, number = sent.seq.epoch, sent.seq.n[bench.own.id]
    lane = "urgent" if sent.urgency == "immediate" else "normal"
    before = len(bench.messages)
    payload = maker.payload("resend_request", bench.target, urgency=sent.urgency)
    await bench.publish(maker.control(payload, {"epoch": epoch, "lane": lane, "numbers": [number]}))

    def is_told_void(judged: Judged) -> bool:
        """By a heartbeat that is proven, and of this very number."""
        told = judged.control
        if not isinstance(told, HeartbeatControl) or told.epoch != epoch:
            return False
        return any((each.lane, each.number) == (lane, number) for each in told.void)

    def again() -> list[Judged]:
        return [each for each in bench.messages[before:] if _said(each).get("id") == sent.id or is_told_void(each)]

    if not await bench.until(lambda: bool(again())):
        raise FailedCaseError(f"neither sent again nor told void within {bench.bound_seconds:.0f} s")
    answer = again()[0]
    if is_told_void(answer):
        return "told void"
    if answer.arrival.wire_bytes != sample.arrival.wire_bytes:
        raise FailedCaseError("sent again with other bytes")
    return "the same bytes"


async def _heartbeats(bench: Bench) -> str:
    """Whatever control messages came by themselves while the cases ran."""
    own = [judged for judged in bench.messages if kind_in(judged.arrival.wire_bytes) in CONTROL_KINDS]
    if not own:
        raise SkippedCaseError("none came while the cases ran")
    faults = [judged.code for judged in own if judged.code is not None]
    if faults:
        raise FailedCaseError(f"{len(faults)} of {len(own)} earn {faults[0]}")
    return f"{len(own)} came, all well formed"


ASKED: Final = "asked to send two alerts"
FORMAT: Final = "wire-format"
SENDING: Final = (
    Case("send-signed", f"{FORMAT}, envelope and payload", ASKED, "envelope, header, signature, payload: steps 1 to 8",
         _steps(1, SENDER_STEP - 1)),
    Case("send-addressed", f"{FORMAT}, payload", ASKED, "sender, recipients, times, id and lifetime: steps 9 to 12",
         _steps(SENDER_STEP, SEALED_STEP - 1)),
    Case("send-sealed", f"{FORMAT}, sealed body", ASKED, "sealed to exactly `to`, bound, opens: step 15",
         _steps(SEALED_STEP, SEALED_STEP)),
    Case("send-committed", f"{FORMAT}, payload", ASKED, "body_sha256 is the plaintext's: step 16",
         _steps(COMMITTED_STEP, COMMITTED_STEP)),
    Case("send-body", f"{FORMAT}, sealed body", ASKED, "a body that keeps its schema and rules: step 17",
         _steps(BODY_STEP, BODY_STEP)),
    Case("send-properties", f"{FORMAT}, AMQP", ASKED, "properties and routing key that agree with what is signed",
         _properties),
    Case("send-persistent", f"{FORMAT}, AMQP", ASKED, "delivery_mode 2", _persistent),
    Case("send-numbers", f"{FORMAT}, seq", ASKED, "one epoch, the second number follows the first", _numbers),
    Case("send-once", "rabbitmq, topology", ASKED, "one publish for each country", _once),
    Case("send-again", f"{FORMAT}, control messages", "a resend request for what was sent",
         "the same bytes, or a heartbeat that lists it as void", _resend, is_alone=True),
    Case("send-control", f"{FORMAT}, control messages", "nothing", "heartbeats and requests are well formed",
         _heartbeats, is_alone=True),
)  # fmt: skip
