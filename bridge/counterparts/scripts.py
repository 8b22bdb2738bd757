"""Scripts by name: how a counterpart behaves when an alert reaches it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from bridge.core.wire.envelope import MAX_MESSAGE_BYTES
from bridge.counterparts.counterpart import Counterpart, Judged, Script
from bridge.counterparts.making import Made

OFFICER: Final = "Duty officer (scripted)"


@dataclass
class Answers:
    """Answers at once: the receipt, then the officer's acknowledgement of what can be acknowledged."""

    level: str = "accepted"

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """The receipt, then the answer."""
        await own.answer(judged)
        if is_new_alert(judged):
            await own.send(self.acknowledged(own, judged))

    def acknowledged(self, own: Counterpart, judged: Judged) -> Made:
        """The officer's answer."""
        return own.acknowledgement(judged, level=self.level, officer=OFFICER)


@dataclass
class Late(Answers):
    """The same, seconds later: receipt and answer."""

    seconds: float = 30.0
    _waiting: set[asyncio.Task[None]] = field(default_factory=set)

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """Later, while others go on being taken."""
        task = asyncio.create_task(self._later(own, judged))
        self._waiting.add(task)
        task.add_done_callback(self._waiting.discard)

    async def _later(self, own: Counterpart, judged: Judged) -> None:
        await asyncio.sleep(self.seconds)
        await super().react(own, judged)


class Never:
    """Takes everything and says nothing."""

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """Nothing."""


class BadSignature:
    """Its receipts carry a signature that does not verify."""

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """A receipt of which another one's signature was taken."""
        if judged.verified is not None and judged.message is not None:
            good, other = own.receipt(judged.message), own.receipt(judged.message)
            await own.line.publish(replace(good, wire_bytes=_with_signature_of(good.wire_bytes, other.wire_bytes)))


class OldList(Answers):
    """Answers, and says that it goes by a membership list of an earlier version."""

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """As `Answers`, under the first version there was."""
        aged = replace(own.maker, directory=replace(own.maker.directory, version=1))
        await super().react(replace(own, maker=aged), judged)


class Oversized:
    """Answers with more than any message may be."""

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """A good receipt and 1 MiB of blanks behind it."""
        if judged.verified is not None and judged.message is not None:
            good = own.receipt(judged.message)
            await own.line.publish(replace(good, wire_bytes=good.wire_bytes + b" " * MAX_MESSAGE_BYTES))


@dataclass
class Duplicates(Answers):
    """Answers, and sends its acknowledgement several times."""

    times: int = 3

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """One receipt, the same acknowledgement again and again."""
        await own.answer(judged)
        if is_new_alert(judged):
            made = self.acknowledged(own, judged)
            for _ in range(self.times):
                await own.send(made)


class Gap(Answers):
    """Answers, and leaves out a sequence number before each acknowledgement."""

    async def react(self, own: Counterpart, judged: Judged) -> None:
        """As `Answers`, one number further."""
        if judged.verified is not None:
            next(own.maker.counter(judged.verified.payload.urgency))
        await super().react(own, judged)


SCRIPTS: Final[Mapping[str, type[Script]]] = {
    "answers": Answers,
    "late": Late,
    "never": Never,
    "bad-signature": BadSignature,
    "old-list": OldList,
    "oversized": Oversized,
    "duplicates": Duplicates,
    "gap": Gap,
}


def is_new_alert(judged: Judged) -> bool:
    """Whether an officer would answer it."""
    return judged.verified is not None and judged.verified.payload.kind in {"route_alert", "alert_update"}


def _with_signature_of(wire_bytes: bytes, other: bytes) -> bytes:
    first, second = json.loads(wire_bytes), json.loads(other)
    return json.dumps(first | {"signatures": second["signatures"]}, separators=(",", ":")).encode()
