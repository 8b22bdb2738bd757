"""Cases of a receiver: what is good is delivered once and said so, what is not is refused as the table says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from bridge.adapters.system import RandomIds
from bridge.conformance.bench import Bench, Receipt
from bridge.conformance.case import Case, FailedCaseError, SkippedCaseError
from bridge.core.ids import prefix_of
from bridge.core.times import format_time
from bridge.core.verification import SENDER_STEP
from bridge.core.wire.payload import CONTROL_KINDS
from bridge.counterparts.forgeries import FORGERIES, Forgery
from bridge.counterparts.making import Made, digest

Run = Callable[[Bench], Awaitable[str]]

ROUTER_STEP: Final = 12  # the last that a router judges
DUPLICATE_SECONDS: Final = 62.0
SMALL_SECONDS: Final = 1.0
DEEP_BODY: Final = 100_000  # characters of a large body, below 128 KiB

ALIVE: Final = "alive"
PASSED_OVER: Final = "no receipt; the good message behind it was delivered"


async def _alive(bench: Bench) -> str:
    made, started = bench.good(), monotonic()
    await bench.publish(made)
    await bench.answered(made)
    seconds = monotonic() - started
    bench.measured(seconds)
    bench.known = made
    return f"delivered after {seconds:.2f} s"


def _good(make: Callable[[Bench], Made]) -> Run:
    async def run(bench: Bench) -> str:
        made = make(bench)
        if made.kind not in bench.own.maker.directory.contact_points[bench.target].receives:
            raise SkippedCaseError(f"{bench.target} does not receive {made.kind}")
        await bench.publish(made)
        return (await bench.answered(made)).told

    return run


def _urgent(bench: Bench) -> Made:
    return bench.good(urgency="immediate")


def _in_thread(kind: str, **body: object) -> Callable[[Bench], Made]:
    def make(bench: Bench) -> Made:
        known = _known(bench)
        refers = {"supersedes": known.reference, "thread": known.thread, "references": [known.reference]}
        return bench.good(kind, body=refers | body)

    return make


def _acknowledgement(bench: Bench) -> Made:
    now = datetime.now(UTC)
    of = {"from": bench.target, "id": RandomIds().new(now), "payload_sha256": digest(b"")}
    return bench.good(
        "acknowledgement",
        body={"of": of, "level": "accepted", "officer": "Conformance", "at": format_time(now), "thread": of["id"]},
    )


def _exercise(bench: Bench) -> Made:
    if "exercise" not in bench.own.maker.directory.contact_points[bench.own.id].statuses:
        raise SkippedCaseError(f"{bench.own.id} may not send exercises")
    return bench.good(status="exercise")


def _to_two(bench: Bench) -> Made:
    payload = bench.own.maker.payload("route_alert", bench.target, bench.other)
    made = bench.own.maker.sealed(payload)
    origin, target = prefix_of(bench.own.id), prefix_of(bench.target)
    return replace(made, routing_key=f"{origin}.{target}.normal.route_alert")


def _newer_minor(bench: Bench) -> Made:
    schema = "urn:ncp-bridge:route_alert:1.9"
    return bench.good(body={"weather": "snow", "severity": "grave"}, schema=schema)


def _large(bench: Bench) -> Made:
    schema = "urn:ncp-bridge:route_alert:1.9"
    return bench.good(body={"padding": "x" * DEEP_BODY}, schema=schema)


def _known(bench: Bench) -> Made:
    return bench.workshop().known


def _receipt(look: Callable[[Made, Receipt], str | None]) -> Run:
    """A receipt for a good and, where it comes, one for a refused message; `look` says what is wrong with one."""

    async def run(bench: Bench) -> str:
        refused = bench.workshop().message(body={"exploitation": []})
        good = bench.good(urgency="immediate")
        for made in (good, refused):
            await bench.publish(made)
        if not await bench.until(lambda: bool(bench.answers_to(good))):
            raise FailedCaseError(f"no receipt within {bench.bound_seconds:.0f} s")
        await bench.until(lambda: bool(bench.answers_to(refused)))
        for made in (good, refused):
            for receipt in bench.answers_to(made):
                fault = look(made, receipt)
                if fault is not None:
                    raise FailedCaseError(fault)
        return "as it should be"

    return run


def _signed(_: Made, receipt: Receipt) -> str | None:
    return f"its bytes earn {receipt.fault}" if receipt.fault else None


def _digests(made: Made, receipt: Receipt) -> str | None:
    for name, right in (("payload_sha256", made.payload_sha256), ("sealed_sha256", made.sealed_sha256)):
        if receipt.of.get(name) != right:
            return f"of.{name} is not that of what was sent"
    return None


def _properties(_: Made, receipt: Receipt) -> str | None:
    if receipt.route_fault:
        return f"type, app_id, correlation_id or routing key differ from what is signed: {receipt.route_fault}"
    if receipt.arrival.content_type != "application/jose+json":
        return f"content_type {receipt.arrival.content_type}"
    return None if receipt.arrival.message_id else "no message_id"


def _persistent(_: Made, receipt: Receipt) -> str | None:
    return None if receipt.arrival.is_persistent else "delivery_mode is not 2"


def _lane(made: Made, receipt: Receipt) -> str | None:
    is_urgent, should_be = receipt.urgency == "immediate", ".urgent." in made.routing_key
    return None if is_urgent == should_be else f"urgency {receipt.urgency}, not the lane of what it answers"


async def _duplicate_once(bench: Bench) -> str:
    made = bench.good()
    for _ in range(3):
        await bench.publish(made)
    await bench.answered(made)
    behind = bench.good()
    await bench.publish(behind)
    await bench.answered(behind)
    await asyncio.sleep(SMALL_SECONDS)
    count = len(bench.answers_to(made))
    if count != 1:
        raise FailedCaseError(f"{count} receipts for one message that came three times at once")
    return "one receipt"


async def _duplicate_again(bench: Bench) -> str:
    if not bench.options.is_patient:
        raise SkippedCaseError("takes more than a minute; --patient tries it")
    made = bench.good()
    await bench.publish(made)
    await bench.answered(made)
    await asyncio.sleep(DUPLICATE_SECONDS)
    await bench.publish(made)
    if not await bench.until(lambda: len(bench.answers_to(made)) > 1):
        raise FailedCaseError("no second receipt: a sender whose first was lost would never know")
    return "answered again"


def _refused(forgery: Forgery) -> Run:
    async def run(bench: Bench) -> str:
        target = bench.own.maker.directory.contact_points[bench.target]
        if forgery.code == "E_STATUS" and target.mode != "live":
            raise SkippedCaseError(f"{bench.target} is in test")
        made = forgery.make(bench.workshop())
        if made is None:
            raise SkippedCaseError(f"{bench.own.id} has no key here that was revoked")
        await bench.publish(made)
        codes = {forgery.code} | ({"E_NOT_AUTHORISED"} if forgery.code == "E_STATUS" else set())
        if not _is_owed_an_answer(forgery, made):
            await bench.unanswered(made)
            return PASSED_OVER
        # a router is silent, or leaves it to its contact point, who then answers
        may_be_silent = bench.options.has_router and forgery.step <= ROUTER_STEP
        if may_be_silent and not await bench.is_answered_before_next(made):
            bench.settle(made, *(f"rejected {code}" for code in codes))
            return PASSED_OVER
        return (await bench.answered(made, "rejected", *codes)).told

    return run


def _is_owed_an_answer(forgery: Forgery, made: Made) -> bool:
    return forgery.step >= SENDER_STEP and not forgery.is_held and made.kind not in CONTROL_KINDS


async def _control_unanswered(bench: Bench) -> str:
    maker, to = bench.own.maker, bench.target
    one = {"first": 1, "last": 1}
    heartbeat = maker.control(maker.payload("heartbeat", to), {"epoch": maker.epoch, "urgent": one, "normal": one})
    asked = {"epoch": 1, "lane": "normal", "numbers": [1]}
    resend = maker.control(maker.payload("resend_request", to), asked)
    of = {"id": heartbeat.id, "payload_sha256": digest(b""), "sealed_sha256": digest(b"")}
    receipt = maker.control(maker.payload("receipt", to), {"state": "delivered", "of": of})
    for made in (heartbeat, resend, receipt):
        await bench.publish(made)
    await bench.unanswered(heartbeat, resend, receipt)
    return "none of the three has a receipt"


STEP: Final = "wire-format, verification step"
CONTROL: Final = "wire-format, control messages"
RECEIPTED: Final = "a receipt, delivered"
GOOD: Final = (
    Case(ALIVE, CONTROL, "a good route alert", RECEIPTED, _alive, is_alone=True),
    Case("good-urgent", f"{STEP} 18", "an alert in the urgent lane", RECEIPTED, _good(_urgent)),
    Case("good-update", f"{STEP} 17", "an update of an alert of ours", RECEIPTED,
         _good(_in_thread("alert_update", change_summary="Now by night."))),
    Case("good-cancel", f"{STEP} 17", "a cancellation of an alert of ours", RECEIPTED,
         _good(_in_thread("alert_cancel", reason="disrupted"))),
    Case("good-acknowledgement", f"{STEP} 17", "an acknowledgement", RECEIPTED, _good(_acknowledgement)),
    Case("good-exercise", f"{STEP} 11", "an exercise", RECEIPTED, _good(_exercise)),
    Case("good-two", f"{STEP} 15", "an alert to two contact points", RECEIPTED, _good(_to_two)),
    Case("good-large", f"{STEP} 1", "a body of 100 KB", RECEIPTED, _good(_large)),
    Case("newer-minor", "wire-format, payload: schema", "unknown members and codes under a higher minor version",
         RECEIPTED, _good(_newer_minor)),
)  # fmt: skip
BOTH: Final = "a good and a refused message"
RECEIPTS: Final = (
    Case("receipt-signed", CONTROL, BOTH, "receipts that pass steps 1 to 12", _receipt(_signed)),
    Case("receipt-digests", CONTROL, BOTH, "receipts with the digests of what was sent", _receipt(_digests)),
    Case("receipt-properties", "wire-format, AMQP", BOTH, "properties that agree with what is signed",
         _receipt(_properties)),
    Case("receipt-persistent", "wire-format, AMQP", BOTH, "receipts with delivery_mode 2", _receipt(_persistent)),
    Case("receipt-lane", "rabbitmq, topology", BOTH, "receipts in the lane of what they answer", _receipt(_lane)),
    Case("control-unanswered", CONTROL, "heartbeat, resend request and receipt", "no receipt", _control_unanswered),
    Case("duplicate-once", f"{STEP} 13", "one message three times at once", "one receipt", _duplicate_once),
    Case("duplicate-again", f"{STEP} 13", "one message again after a minute", "a second receipt", _duplicate_again),
)  # fmt: skip
REFUSALS: Final = tuple(
    Case(
        f"refuse-{forgery.name}",
        f"{STEP} {forgery.step}",
        forgery.what,
        "no receipt" if forgery.step < SENDER_STEP or forgery.is_held or forgery.name == "receipt-unasked"
        else f"rejected {forgery.code}" + (" (behind a router: or no receipt)" if forgery.step <= ROUTER_STEP else ""),
        _refused(forgery),
    )
    for forgery in FORGERIES
)  # fmt: skip
