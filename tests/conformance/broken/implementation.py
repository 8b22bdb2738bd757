"""A small implementation in a process of its own that keeps every rule, or breaks the one that `--broken` names.

usage: implementation.py listen|send|start FOLDER [--broken NAME] [--to ID]

FOLDER has network.json (an export), keys.json (a JWK set), settings.json ({"id", "relay", "router"}); a journal is made
there, with what was received before anybody is told. `start` runs `listen` apart, and returns once that listens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bridge.adapters.trust.membership.exported import read_export
from bridge.core.ids import prefix_of
from bridge.core.times import format_time
from bridge.core.verification import Authenticated, VerifiedMessage
from bridge.core.wire import base64url, strict_json
from bridge.counterparts import counterpart
from bridge.counterparts import line as line_module
from bridge.counterparts.counterpart import Counterpart, Judged, Memory
from bridge.counterparts.identity import desk_from
from bridge.counterparts.line import Accounts, Arrival, Line, open_line
from bridge.counterparts.making import Edit, Made, Maker

READY_SECONDS = 60
FLAW_SECONDS = 2.0
LATE_SECONDS = 3.0  # behind what the case waits for, before the last look
SLOW_SECONDS = 0.01


class Journal(Memory):
    """Memory on the disk."""

    def __init__(self, folder: Path, *, forgets: bool) -> None:
        super().__init__()
        path = folder / "journal.jsonl"
        if path.exists() and not forgets:
            for line in path.read_text("utf-8").splitlines():
                sender, message_id, digest, thread = json.loads(line)
                self.received[sender, message_id] = digest
                self.originators.setdefault(thread, sender)
        self.file = path.open("a", encoding="utf-8")

    def keep(self, verified: VerifiedMessage) -> None:
        super().keep(verified)
        entry = (*verified.message.key_of_message, verified.message.payload_sha256, verified.body.thread)
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())


class Honest(Counterpart):
    """Keeps every rule: stores, answers, then acknowledges to the broker."""

    async def take(self, arrival: Arrival) -> None:
        await self.react(self.judge(arrival))
        await arrival.acknowledge()

    async def react(self, judged: Judged) -> None:
        await self.answer(judged)

    def sending(self, made: Made) -> Made:
        """Whatever goes out."""
        return made

    def alert(self, to: str) -> Made:
        """The alert that it is asked to send."""
        payload = self.maker.payload("route_alert", to)
        return self.maker.sealed(payload, self.maker.body(payload))


class WithoutSignatures(Honest):
    """Believes every signature."""

    def judge(self, arrival: Arrival) -> Judged:
        counterpart.is_signature = lambda *_, **__: True  # type: ignore[attr-defined]
        return super().judge(arrival)


class AnswersStrangers(Honest):
    """Answers what is of another network: nothing of it is believed before step 9."""

    async def react(self, judged: Judged) -> None:
        await super().react(judged)
        if judged.code in {"E_NETWORK", "E_SEAL_DIGEST"}:
            said = strict_json.parse_object(
                base64url.decode(str(strict_json.parse_object(judged.arrival.wire_bytes)["payload"]))
            )
            of = {name: said[name] for name in ("id", "sealed_sha256")} | {"payload_sha256": "A" * 43}
            control = {"state": "rejected", "code": judged.code, "of": of}
            payload = self.maker.payload("receipt", str(said["from"]), urgency=said["urgency"])
            await self.line.publish(self.maker.control(payload, control))


class AnswersStrangersLater(AnswersStrangers):
    """The same when nobody looks any more."""

    later: set[asyncio.Task[None]] = set()  # noqa: RUF012 - one instance

    async def react(self, judged: Judged) -> None:
        if judged.code not in {"E_NETWORK", "E_SEAL_DIGEST"}:
            await super().react(judged)
            return

        async def work() -> None:
            await asyncio.sleep(LATE_SECONDS)
            await AnswersStrangers.react(self, judged)

        task = asyncio.create_task(work())
        self.later.add(task)
        task.add_done_callback(self.later.discard)


class AcknowledgesFirst(Honest):
    """Tells the broker that it may forget a message before it has stored it."""

    later: set[asyncio.Task[None]] = set()  # noqa: RUF012 - one instance

    async def take(self, arrival: Arrival) -> None:
        await arrival.acknowledge()

        async def work() -> None:
            await asyncio.sleep(FLAW_SECONDS)
            await self.react(self.judge(arrival))

        task = asyncio.create_task(work())
        self.later.add(task)
        task.add_done_callback(self.later.discard)


class WithoutRevocation(Honest):
    """Takes what a revoked key signed."""

    def judge(self, arrival: Arrival) -> Judged:
        listed = self.maker.directory
        keys = {kid: replace(key, revoked_at=None) for kid, key in listed.signing_keys.items()}
        honest, self.maker = self.maker, replace(self.maker, directory=replace(listed, signing_keys=keys))
        try:
            return super().judge(arrival)
        finally:
            self.maker = honest


class Lenient(Honest):
    """Says `delivered` where these codes were due."""

    codes: frozenset[str] = frozenset()

    async def react(self, judged: Judged) -> None:
        is_let_in = judged.code in self.codes and judged.message is not None and self.id in judged.message.payload.to
        await super().react(replace(judged, code=None, step=None) if is_let_in else judged)


class TakesUnsorted(Lenient):
    codes = frozenset({"E_NOT_RECIPIENT"})


class WithoutCommitment(Lenient):
    codes = frozenset({"E_COMMITMENT"})


class TakesExpired(Lenient):
    codes = frozenset({"E_EXPIRED"})


class TakesTests(Lenient):
    codes = frozenset({"E_STATUS"})


class WithoutEquivocation(Lenient):
    codes = frozenset({"E_EQUIVOCATION"})


class UnsignedReceipts(Honest):
    """Its receipts carry a signature of zeros."""

    def sending(self, made: Made) -> Made:
        return changed(made, lambda e: e["signatures"][0].update(signature="A" * 86)) if is_receipt(made) else made


class WrongDigests(Honest):
    """Its receipts name a digest of the envelope."""

    def receipt(self, message: Authenticated, *, code: str | None = None, **of: str) -> Made:
        return super().receipt(message, code=code, sealed_sha256="A" * 43, **of)


class DigestsAsLists(Honest):
    """What it refuses it names by no text."""

    def receipt(self, message: Authenticated, *, code: str | None = None) -> Made:  # type: ignore[override]
        return super().receipt(message, code=code, **({"payload_sha256": []} if code else {}))  # type: ignore[arg-type]


class UnreadableReceipts(Honest):
    """Its receipts have members that no receipt has; no peer takes one."""

    def receipt(self, message: Authenticated, *, code: str | None = None, **of: str) -> Made:
        return super().receipt(message, code=code, stored_at="", **of)


class TakesItBack(Honest):
    """Says `delivered` behind each refusal."""

    async def react(self, judged: Judged) -> None:
        await super().react(judged)
        if judged.code is not None and judged.is_owed_an_answer and judged.message is not None:
            await self.line.publish(self.receipt(judged.message))


class AcknowledgesAnother(Honest):
    """Answers by itself, in the right thread, what somebody else sent."""

    async def react(self, judged: Judged) -> None:
        await super().react(judged)
        if judged.verified is not None and judged.verified.payload.kind == "route_alert":
            at = format_time(judged.verified.payload.sent)
            answer = {"level": "accepted", "officer": "Somebody", "at": at}
            to = judged.verified.payload.sender
            payload = self.maker.payload("acknowledgement", to, urgency=judged.verified.payload.urgency)
            of = {"from": "hu.ncp", "id": judged.verified.payload.id, "payload_sha256": "A" * 43}
            body = self.maker.body(payload, of=of, thread=judged.verified.body.thread, references=[of], **answer)
            await self.line.publish(self.maker.sealed(payload, body))


class OneLine(Honest):
    """Takes both lanes by turns of arrival, all that there is."""

    async def react(self, judged: Judged) -> None:
        await asyncio.sleep(SLOW_SECONDS)
        await super().react(judged)


class VoidWithoutProof(Honest):
    """Tells some other number void when it is asked for one, and signs with zeros."""

    async def react(self, judged: Judged) -> None:
        await super().react(judged)
        said = payload_of(judged.arrival)
        if said.get("kind") == "resend_request":
            one = {"first": 1, "last": 1}
            void = [{"lane": "urgent", "number": 1, "code": "E_EXPIRED"}]
            control = {"epoch": 99, "urgent": one, "normal": one, "void": void}
            heartbeat = self.maker.control(self.maker.payload("heartbeat", str(said["from"])), control)
            await self.line.publish(changed(heartbeat, lambda e: e["signatures"][0].update(signature="A" * 86)))


class ReceiptsForControl(Honest):
    """Answers receipts, heartbeats and requests."""

    async def react(self, judged: Judged) -> None:
        await super().react(judged)
        said = payload_of(judged.arrival)
        if said.get("kind") in {"receipt", "heartbeat", "resend_request"}:
            of = {"id": said["id"], "payload_sha256": "A" * 43, "sealed_sha256": "A" * 43}
            payload = self.maker.payload("receipt", str(said["from"]), urgency=said["urgency"])
            await self.line.publish(self.maker.control(payload, {"state": "delivered", "of": of}))


class Reencodes(Honest):
    """Writes the payload anew after it was signed."""

    def sending(self, made: Made) -> Made:
        def again(envelope: dict[str, Any]) -> None:
            said = json.loads(base64url.decode(envelope["payload"]))
            envelope["payload"] = base64url.encode(json.dumps(said, sort_keys=True).encode())

        return made if is_receipt(made) else changed(made, again)


class SameNumber(Honest):
    """Every message has the same number."""

    def alert(self, to: str) -> Made:
        payload = self.maker.payload("route_alert", to, seq={"epoch": 1, "n": {to: 7}})
        return self.maker.sealed(payload, self.maker.body(payload))


class NumbersAsText(Honest):
    """Writes numbers in quotes."""

    def alert(self, to: str) -> Made:
        payload = self.maker.payload("route_alert", to, seq={"epoch": 1, "n": {to: "7"}})
        return self.maker.sealed(payload, self.maker.body(payload))


class SealsToMore(Honest):
    """Seals to somebody more than it says."""

    def alert(self, to: str) -> Made:
        payload = self.maker.payload("route_alert", to)
        return self.maker.sealed(payload, self.maker.body(payload), sealed_to=[to, "hu.ncp"])


class NotPersistent(Honest):
    """What it publishes does not outlive the broker."""

    def sending(self, made: Made) -> Made:
        return replace(made, persistent=False)


class Poisoned(Honest):
    """Waits for ever for somebody to look at what it cannot read."""

    async def react(self, judged: Judged) -> None:
        if judged.code == "E_JSON":
            await asyncio.Event().wait()
        await super().react(judged)


class TwiceForTwice(Honest):
    """Takes every copy of a message for a new one."""

    async def answer(self, judged: Judged) -> None:
        self.memory.answered.clear()
        await super().answer(judged)


class WrongType(Honest):
    """Names another kind beside what it signs."""

    def sending(self, made: Made) -> Made:
        return replace(made, type="alert")


class OnlyItsOwnMinor(Honest):
    """Refuses what is of a newer minor version."""

    async def react(self, judged: Judged) -> None:
        said = payload_of(judged.arrival)
        is_newer = judged.verified is not None and not str(said["schema"]).endswith(":1.0")
        await super().react(replace(judged, verified=None, code="E_SCHEMA", step=8) if is_newer else judged)


class Forgets(Honest):
    """Remembers what it had for as long as its process lives."""


BROKEN: dict[str, type[Honest]] = {
    "nothing": Honest,
    "without-signatures": WithoutSignatures,
    "answers-strangers": AnswersStrangers,
    "answers-strangers-later": AnswersStrangersLater,
    "acknowledges-first": AcknowledgesFirst,
    "acknowledges-another": AcknowledgesAnother,
    "without-revocation": WithoutRevocation,
    "takes-unsorted": TakesUnsorted,
    "without-commitment": WithoutCommitment,
    "takes-expired": TakesExpired,
    "takes-tests": TakesTests,
    "without-equivocation": WithoutEquivocation,
    "unsigned-receipts": UnsignedReceipts,
    "wrong-digests": WrongDigests,
    "digests-as-lists": DigestsAsLists,
    "unreadable-receipts": UnreadableReceipts,
    "takes-it-back": TakesItBack,
    "one-line": OneLine,
    "void-without-proof": VoidWithoutProof,
    "numbers-as-text": NumbersAsText,
    "receipts-for-control": ReceiptsForControl,
    "reencodes": Reencodes,
    "same-number": SameNumber,
    "seals-to-more": SealsToMore,
    "not-persistent": NotPersistent,
    "poisoned": Poisoned,
    "twice-for-twice": TwiceForTwice,
    "wrong-type": WrongType,
    "only-its-own-minor": OnlyItsOwnMinor,
    "forgets": Forgets,
}


class Flawed:
    """A line on which everything that goes out is as the implementation has it."""

    def __init__(self, line: Line) -> None:
        self.line, self.arrivals = line, line.arrivals
        self.own: Honest | None = None

    async def publish(self, made: Made) -> None:
        assert self.own is not None
        await self.line.publish(self.own.sending(made))


def payload_of(arrival: Arrival) -> dict[str, Any]:
    try:
        return dict(json.loads(base64url.decode(json.loads(arrival.wire_bytes)["payload"])))
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}


def is_receipt(made: Made) -> bool:
    return made.kind == "receipt"


def changed(made: Made, change: Edit) -> Made:
    envelope = json.loads(made.wire_bytes)
    change(envelope)
    return replace(made, wire_bytes=strict_json.encode(envelope))


async def work(options: argparse.Namespace) -> None:
    folder = options.folder
    settings = json.loads((folder / "settings.json").read_text("utf-8"))
    first = json.loads((folder / "numbers").read_text()) if (folder / "numbers").exists() else 100
    maker = Maker(desk_from(folder / "keys.json", settings["id"]), read_export(folder / "network.json"))
    maker = replace(maker, numbers=iter(range(first, first + 1000)))
    if options.broken == "one-line":
        line_module.PREFETCH = 5000  # type: ignore[misc] # it takes more than it can answer
    async with open_line(
        Accounts(settings["relay"], settings["router"]), prefix_of(settings["id"]), consumes=options.what == "listen"
    ) as line:
        flawed = Flawed(line)
        memory = Journal(folder, forgets=options.broken == "forgets")
        own = BROKEN[options.broken](maker, flawed, None, memory)  # type: ignore[arg-type]
        flawed.own = own
        if options.what == "send":
            (folder / "numbers").write_text(str(first + 1))
            await own.line.publish(own.alert(options.to))
            return
        (folder / "pid").write_text(str(os.getpid()))
        await own.live()


def start(options: argparse.Namespace) -> None:
    pid = options.folder / "pid"
    pid.unlink(missing_ok=True)
    command = [sys.executable, __file__, "listen", str(options.folder), "--broken", options.broken]
    with (options.folder / "log").open("ab") as log:
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)  # noqa: S603
    deadline = time.monotonic() + READY_SECONDS
    while not pid.exists():
        if time.monotonic() > deadline:
            sys.exit("it does not listen")
        time.sleep(0.05)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["listen", "send", "start"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--broken", default="nothing", choices=BROKEN)
    parser.add_argument("--to")
    options = parser.parse_args()
    start(options) if options.what == "start" else asyncio.run(work(options))


if __name__ == "__main__":
    main()
