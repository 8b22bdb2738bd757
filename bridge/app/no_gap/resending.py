"""A recipient misses numbers of ours and asks for them: it gets the same bytes again, or hears that they never come.

Promises:
1. What the ledger has under a number is published again byte for byte, also when it has expired: the recipient then
   keeps a stub. What still waits for its first publish is not put beside itself.
2. What was signed with a key that nobody accepts any more is signed anew before, over the same payload.
3. Numbers that the ledger does not know are answered by one heartbeat that names them as void with a code; a recipient
   must not ask for ever. While no key of ours can sign, neither 2 nor 3 is done, and the recipient asks again.
4. A number is answered at most once in `ANSWER_AGAIN_AFTER`, and nothing is answered that was not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.app.keys.choosing import signer_if_any
from bridge.app.keys.renewing import renew, signature_obstacle
from bridge.app.no_gap.peer_controls import PeerControls
from bridge.app.receiving.answering import repeated_row
from bridge.core.directory import Directory
from bridge.core.ids import prefix_of
from bridge.core.messages import ResendRequestControl
from bridge.core.number_ranges import as_ranges, in_words
from bridge.ports.clock import Ids
from bridge.ports.keys import Desk, Signer
from bridge.ports.store import UnitOfWork
from bridge.ports.store.no_gap import AskedAgain, NumberRange, SentCopy
from bridge.ports.store.records import AuditEntry

ANSWER_AGAIN_AFTER: Final = timedelta(minutes=5)
SHOWN_FOR: Final = timedelta(days=1)  # after its answer, unless a receipt comes before
UNKNOWN_NUMBER: Final = "E_UNKNOWN_NUMBER"
# What one recipient may have us note at a time; honest ones ask for what they miss, and that is answered in a day.
MOST_NOTED_OF_A_PAIR: Final = 20_000
_AT_ONCE: Final = 50  # messages of up to 1 MiB each are in memory

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AnswerResendRequests:
    """Answers for one contact point, in the caller's transaction, as of one moment."""

    unit: UnitOfWork
    desk: Desk
    directory: Directory
    now: datetime
    ids: Ids

    async def answer(self, asker: str, request: ResendRequestControl) -> None:
        """Puts what was asked for into the outbox and notes it for `status`."""
        key = NumberRange(asker, self.desk.id, request.epoch, request.lane, min(request.numbers), max(request.numbers))
        numbers = await self._to_answer(key, request.numbers)
        if not numbers:
            return
        sent: dict[int, str] = {}
        void: set[int] = set()
        signer = signer_if_any(self.desk, self.directory, at=self.now)
        for part in _parts(numbers):
            found = await self.unit.asked_again.find_sent(key, part)
            copies = [copy for copy in [await self._accepted(one, signer) for one in found] if copy is not None]
            await self._send(copies, key)
            sent |= {copy.number: copy.message_id for copy in copies if copy.number is not None}
            if signer is not None:
                void |= set(part) - {copy.number for copy in found}
        if void and signer is not None:
            await self._say_void(key, void, signer)
        if answered := sorted(sent.keys() | void):
            await self.unit.asked_again.note([self._noted(key, number, sent.get(number)) for number in answered])
            await self._log(key, sent, void)

    async def _to_answer(self, key: NumberRange, asked: Sequence[int]) -> Sequence[int]:
        noted = await self.unit.asked_again.noted(key, asked)
        again = [number for number, at in noted.items() if not self._is_lately(at)]
        room = MOST_NOTED_OF_A_PAIR - await self.unit.asked_again.count(key.sender, key.recipient)
        new = sorted(number for number in asked if number not in noted)
        return [*sorted(again), *new[: max(0, room)]]

    def _is_lately(self, moment: datetime | None) -> bool:
        """A moment after now was noted by a wrong clock, and silences nobody."""
        return moment is not None and timedelta(0) <= self.now - moment < ANSWER_AGAIN_AFTER

    async def _accepted(self, copy: SentCopy, signer: Signer | None) -> SentCopy | None:
        """The copy with a signature that members accept; `None` where there is none."""
        if signature_obstacle(copy.wire_bytes, self.directory, sent=copy.sent, at=self.now) is None:
            return copy
        message = await self.unit.ledger.get(copy.message_id) if signer is not None else None
        if signer is None or message is None:
            return None
        renewed = await renew(self.unit, [message], signer=signer, directory=self.directory, now=self.now, ids=self.ids)
        return replace(copy, wire_bytes=renewed[message.id])

    async def _send(self, copies: Sequence[SentCopy], key: NumberRange) -> None:
        country = prefix_of(key.recipient)
        ids = [copy.message_id for copy in copies]
        waiting = await self.unit.asked_again.still_waiting(ids, country=country) if ids else ()
        again = [copy for copy in copies if copy.message_id not in waiting]
        to = {"sender": key.sender, "recipient": key.recipient, "lane": key.lane}
        rows = [repeated_row(copy, **to, now=self.now, ids=self.ids) for copy in again]
        if rows:
            await self.unit.outbox.add(rows)

    async def _say_void(self, key: NumberRange, void: Collection[int], signer: Signer) -> None:
        counters = await self.unit.peers.counters(key.sender, [key.recipient], epoch=key.epoch)
        named = [{"lane": key.lane, "number": number, "code": UNKNOWN_NUMBER} for number in sorted(void)]
        controls = PeerControls(self.desk.id, signer, self.directory, self.now, self.ids)
        await self.unit.outbox.add([controls.heartbeat(key.recipient, counters, void=named)])

    def _noted(self, key: NumberRange, number: int, message_id: str | None) -> AskedAgain:
        return AskedAgain(
            sender=key.sender,
            recipient=key.recipient,
            epoch=key.epoch,
            lane=key.lane,
            number=number,
            message_id=message_id,
            code=UNKNOWN_NUMBER if message_id is None else None,
            times=1,
            asked_at=self.now,
            answered_at=self.now,
        )

    async def _log(self, key: NumberRange, sent: Collection[int], void: Collection[int]) -> None:
        detail = {
            "by": key.recipient,
            "epoch": str(key.epoch),
            "lane": key.lane,
            "sent": in_words(as_ranges(sent)),
            "void": in_words(as_ranges(void)),
            "codes": UNKNOWN_NUMBER if void else "",
        }
        detail = {name: value for name, value in detail.items() if value}
        entry = AuditEntry(self.now, key.recipient, "sequence.asked_again", key.sender, key.sender, detail)
        await self.unit.audit.add([entry])
        _log.warning("sequence.asked_again", contact_point=key.sender, **detail)


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), _AT_ONCE):
        yield numbers[start : start + _AT_ONCE]
