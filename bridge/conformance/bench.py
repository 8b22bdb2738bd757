"""The tester's place: what it sends, what comes back, and waiting for it within bounds."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Any, Final

from bridge.conformance.case import FailedCaseError, SkippedCaseError
from bridge.core.ids import prefix_of
from bridge.core.verification import Hints
from bridge.core.wire import base64url
from bridge.core.wire.payload import CONTROL_KINDS
from bridge.counterparts.counterpart import Counterpart, Judged
from bridge.counterparts.forgeries import Workshop
from bridge.counterparts.line import Arrival
from bridge.counterparts.making import Made

GRACE_SECONDS: Final = 0.4  # for an answer that should not come, behind one that has
LEAST_BOUND_SECONDS: Final = 5.0
BOUND_FACTOR: Final = 20  # of the time that the first answer took
COMMAND_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """What says of itself that it is a receipt, proven or not.

    Attributes:
        of: those of its members that are texts.
        fault: the code that its bytes earn, `None` where they are in order; digests are looked at apart.
        route_fault: the code that its AMQP properties earn beside its bytes.
    """

    state: str
    code: str | None
    of: dict[str, str]
    urgency: str
    fault: str | None
    route_fault: str | None
    arrival: Arrival

    @property
    def told(self) -> str:
        """`rejected E_BODY`."""
        return self.state if self.code is None else f"{self.state} {self.code}"


@dataclass(frozen=True, slots=True)
class Options:
    """What whoever runs the cases has said.

    Attributes:
        bound_seconds: an answer that takes longer is none.
        has_router: a router judges steps 1 to 12 and is silent.
        answers: the implementation acknowledges every alert by itself.
        is_patient: cases that wait for more than a minute are tried too.
        send_command: sends an alert file; `{file}` and `{to}` in it are filled in.
        restart_command: kills the implementation and starts it again.
    """

    bound_seconds: float = 30.0
    has_router: bool = False
    answers: bool = False
    is_patient: bool = False
    send_command: str | None = None
    restart_command: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A case has seen what it waited for; whatever says something else afterwards contradicts it.

    Attributes:
        told: what a receipt for it may say, now and later; nothing where none may come.
    """

    made: Made
    told: frozenset[str]
    at: float


@dataclass
class Bench:
    """One contact point that tests another one, `target`; `other` is a third."""

    own: Counterpart
    target: str
    other: str
    options: Options
    bound_seconds: float = 0.0
    first_seconds: float = 0.0
    receipts: list[Receipt] = field(default_factory=list)
    messages: list[Judged] = field(default_factory=list)
    sent_samples: list[Judged] = field(default_factory=list)
    known: Made | None = None
    settled: list[Settled] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _sampling: asyncio.Lock = field(default_factory=asyncio.Lock)
    _no_samples: FailedCaseError | None = None

    def __post_init__(self) -> None:
        """Begins with the longest bound."""
        self.bound_seconds = self.options.bound_seconds

    async def hear(self) -> None:
        """Takes what comes back, until cancelled; alerts are receipted as any contact point does."""
        while True:
            arrival = await self.own.line.arrivals.get()
            said = payload_in(arrival.wire_bytes)
            judged = replace(self.own.judge(replace(arrival, hints=None)), arrival=arrival)
            if said.get("kind") == "receipt":
                self.receipts.append(self._receipt(arrival, said, judged))
            else:
                self.messages.append(judged)
                await self.own.answer(judged)
            await arrival.acknowledge()
            async with self._news:
                self._news.notify_all()

    def _receipt(self, arrival: Arrival, said: dict[str, Any], judged: Judged) -> Receipt:
        control = said.get("control")
        members = control if isinstance(control, dict) else {}
        of = members.get("of")
        routed = self.own.judge(arrival).code
        return Receipt(
            state=str(members.get("state")),
            code=None if members.get("code") is None else str(members["code"]),
            of={name: value for name, value in of.items() if isinstance(value, str)} if isinstance(of, dict) else {},
            urgency=str(said.get("urgency")),
            fault=None if judged.control is not None else judged.code,
            route_fault=routed if routed != judged.code else None,
            arrival=arrival,
        )

    async def until(self, holds: Callable[[], bool], *, seconds: float | None = None) -> bool:
        """Whether it holds within the bound."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.bound_seconds if seconds is None else seconds), self._news:
                await self._news.wait_for(holds)
        return holds()

    async def publish(self, made: Made) -> None:
        """Sends to the target."""
        await self.own.send(made)

    def good(self, kind: str = "route_alert", *, body: dict[str, Any] | None = None, **changes: Any) -> Made:  # noqa: ANN401 - members of a payload
        """A good message to the target."""
        payload = self.own.maker.payload(kind, self.target, **changes)
        return self.own.maker.sealed(payload, self.own.maker.body(payload, **(body or {})))

    def answers_to(self, made: Made) -> list[Receipt]:
        """The receipts for a message, by its id; where two share one, by what they say the payload's digest is."""
        rivals = {digest for message_id, digest in self.own.memory.sent if message_id == made.id} - {
            made.payload_sha256
        }
        answers = [receipt for receipt in self.receipts if receipt.of.get("id") == made.id]
        return [each for each in answers if each.of.get("payload_sha256") not in rivals]

    async def answered(self, made: Made, state: str = "delivered", *codes: str) -> Receipt:
        """The first receipt for a message; fails where there is none in time, or it says something else."""
        if not await self.until(lambda: bool(self.answers_to(made))):
            raise FailedCaseError(f"no receipt within {self.bound_seconds:.0f} s")
        receipt = self.answers_to(made)[0]
        if receipt.state != state or (codes and receipt.code not in codes):
            raise FailedCaseError(f"a receipt {receipt.told}")
        self.settle(made, receipt.told)
        return receipt

    def settle(self, made: Made, *told: str) -> None:
        """Notes what may be said of a message from now on."""
        self.settled.append(Settled(made, frozenset(told), monotonic()))

    async def unanswered(self, *made: Made) -> None:
        """Fails where one of them is answered until the good message behind them is, and a little longer."""
        await self.is_answered_before_next(made[-1])
        answers = [receipt for each in made for receipt in self.answers_to(each)]
        if answers:
            raise FailedCaseError(f"a receipt {answers[0].told}")
        for each in made:
            self.settle(each)

    async def is_answered_before_next(self, made: Made) -> bool:
        """Whether it is answered until a good message behind it is, and a little longer; fails where that is not."""
        behind = self.good(urgency="immediate" if ".urgent." in made.routing_key else "expected")
        await self.publish(behind)
        if not await self.until(lambda: bool(self.answers_to(behind))):
            raise FailedCaseError(f"the good message behind it has no receipt within {self.bound_seconds:.0f} s")
        await asyncio.sleep(GRACE_SECONDS)
        return bool(self.answers_to(made))

    def measured(self, seconds: float) -> None:
        """The first answer took this long: no other is waited for very much longer, so that what is dead fails soon."""
        self.first_seconds = seconds
        self.bound_seconds = min(self.options.bound_seconds, max(LEAST_BOUND_SECONDS, BOUND_FACTOR * seconds))

    def workshop(self) -> Workshop:
        """What forgeries are made in."""
        if self.known is None:
            raise SkippedCaseError("nothing was delivered that a forgery could refer to")
        body = self.own.maker.body(self.own.maker.payload("route_alert", self.target))
        body = {name: value for name, value in body.items() if name not in {"thread", "references"}}
        return Workshop(self.own.maker, self.target, self.other, body, self.known)

    @staticmethod
    def hints_of(arrival: Arrival) -> Hints:
        """The AMQP properties of an arrival."""
        return arrival.hints or Hints(None, None, None)

    async def samples(self) -> list[Judged]:
        """Two alerts that the implementation was asked to send, one after the other; asked once for all cases.

        Where that failed it is not asked again: each case would wait for the same.
        """
        command = self.options.send_command
        if command is None:
            raise SkippedCaseError("no --send-command")
        async with self._sampling:
            if self._no_samples is not None:
                raise self._no_samples
            try:
                while len(self.sent_samples) < 2:  # noqa: PLR2004 - the numbers of two are compared
                    await self._sample(command)
            except FailedCaseError as failed:
                self._no_samples = failed
                raise
        return self.sent_samples

    async def _sample(self, command: str) -> None:
        before = len(self._alerts())
        await self._ask(command, number=len(self.sent_samples))
        if not await self.until(lambda: len(self._alerts()) > before):
            raise FailedCaseError(f"no alert within {self.bound_seconds:.0f} s of the command that sends one")
        self.sent_samples.append(self._alerts()[before])

    def _alerts(self) -> list[Judged]:
        """What is no control message and no answer, by what it says of itself."""
        ignored = {*CONTROL_KINDS, "acknowledgement"}
        return [each for each in self.messages if kind_in(each.arrival.wire_bytes) not in ignored]

    async def _ask(self, command: str, *, number: int) -> None:
        import tempfile  # noqa: PLC0415 - for whoever sends only

        with tempfile.TemporaryDirectory(prefix="ncp-bridge-conformance-") as folder:
            file = Path(folder) / f"alert-{number}.json"
            await asyncio.to_thread(file.write_text, json.dumps(self._alert_file()), "utf-8")
            await shell(command.replace("{file}", str(file)).replace("{to}", self.own.id))

    def _alert_file(self) -> dict[str, Any]:
        body = self.own.maker.body({"id": "", "kind": "route_alert", "to": [self.own.id]})
        origin, target = prefix_of(self.target).upper(), prefix_of(self.own.id).upper()
        body["legs"] = [{"from": {"country": origin}, "to": {"country": target}, "confirmed": False}]
        del body["thread"], body["references"]
        return {"kind": "route_alert", "status": "actual", "urgency": "expected", "body": body}


async def shell(command: str, *, seconds: float = COMMAND_SECONDS) -> None:
    """Runs a command of the operator's by the shell; fails where it does. What is not awaited any longer is killed."""
    process = await asyncio.create_subprocess_shell(
        command, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, start_new_session=True
    )
    try:
        async with asyncio.timeout(seconds):
            status = await process.wait()
    except TimeoutError:
        raise FailedCaseError(f"the command took longer than {seconds:.0f} s") from None
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if status != 0:
        raise FailedCaseError(f"the command ended with status {status}")


def payload_in(wire_bytes: bytes) -> dict[str, Any]:
    """What a message says of itself, verified by nobody; nothing where it cannot be read."""
    with suppress(ValueError, KeyError, TypeError, RecursionError):
        said = json.loads(base64url.decode(json.loads(wire_bytes)["payload"]))
        return said if isinstance(said, dict) else {}
    return {}


def kind_in(wire_bytes: bytes) -> str:
    """The kind that a message says it is of."""
    return str(payload_in(wire_bytes).get("kind"))
