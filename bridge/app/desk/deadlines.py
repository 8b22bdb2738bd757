"""Reminds before an answer is due, and raises an alarm when it is overdue: each once for each message, on both sides.

Rules:
1. The time to answer runs from receipt: of what we received from its arrival here, of what we sent from the signed
   receipt of its recipient. All in UTC; a local clock that changes moves no deadline.
2. The reminder comes a quarter of the time before the end and 20 minutes before at the latest, but never in the first
   half: of one hour 20 minutes before, of twelve hours 3 hours before. Whoever was not there by then gets the alarm
   only.
3. An acknowledgement ends it for good. So does a version that takes the place of the message, or a cancellation.
4. What has been said is a column of the message's row, set in the transaction that says it: two processes, a restart
   or a clock that is set back say nothing twice. While the clock is not to be trusted nothing is said at all.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.deadlines import OwedAnswer
from bridge.ports.store.records import AuditEntry

DUE_ENTRY: Final = "answer.due"
OVERDUE_ENTRY: Final = "answer.overdue"
LOOKED_BACK: Final = timedelta(days=31)  # what has been overdue for longer is history, for whoever begins to watch
LEAST_WARNING: Final = timedelta(minutes=20)
OURS: Final = "ours"
THEIRS: Final = "theirs"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OwedAnswers:
    """What contact points owe, and what is owed to them."""

    ours: Sequence[OwedAnswer] = ()
    theirs: Sequence[OwedAnswer] = ()


def remind_at(answer: OwedAnswer) -> datetime:
    """When its reminder is due."""
    whole = answer.due_at - answer.since
    return answer.due_at - max(whole / 4, min(LEAST_WARNING, whole / 2))


def is_overdue(answer: OwedAnswer, now: datetime) -> bool:
    """Whether the time to answer has passed."""
    return now >= answer.due_at


def is_due(answer: OwedAnswer, now: datetime) -> bool:
    """Whether the time to answer is nearly over."""
    return remind_at(answer) <= now < answer.due_at


async def owed_answers(unit: UnitOfWork, contact_points: Collection[str], *, now: datetime) -> OwedAnswers:
    """Everything that waits for an answer, the soonest due first."""
    theirs = await unit.deadlines.theirs(contact_points, since=now - LOOKED_BACK)
    return OwedAnswers(
        ours=await unit.deadlines.ours(contact_points, due_after=now - LOOKED_BACK),
        theirs=sorted(theirs, key=lambda answer: answer.due_at),
    )


@dataclass(frozen=True, slots=True)
class WatchDeadlines:
    """Says what is due and what is overdue, for the contact points of one process."""

    contact_points: Collection[str]
    store: Store
    clock: Clock

    async def watch(self) -> None:
        """Looks once.

        Raises:
            UnavailableError: the database cannot be reached, or the clock was set (`E_CLOCK`).
        """
        now = self.clock.now()
        async with self.store.reading() as unit:
            owed = await owed_answers(unit, self.contact_points, now=now)
        told = [
            (side, overdue, answers)
            for side, found in ((OURS, owed.ours), (THEIRS, owed.theirs))
            for overdue, answers in ((False, _to_remind(found, now)), (True, _to_alarm(found, now)))
            if answers
        ]
        if not told:
            return
        said: list[tuple[str, bool, OwedAnswer]] = []
        async with self.store.writing() as unit:
            for side, overdue, answers in told:
                note = unit.deadlines.note_ours if side == OURS else unit.deadlines.note_theirs
                said += [(side, overdue, answer) for answer in await note(answers, now, overdue=overdue)]
            await unit.audit.add([_entry(side, answer, now, overdue=overdue) for side, overdue, answer in said])
        for side, overdue, answer in said:
            _log_one(side, answer, overdue=overdue)


def _to_remind(answers: Sequence[OwedAnswer], now: datetime) -> Sequence[OwedAnswer]:
    return [one for one in answers if one.reminded_at is None and one.alarmed_at is None and is_due(one, now)]


def _to_alarm(answers: Sequence[OwedAnswer], now: datetime) -> Sequence[OwedAnswer]:
    return [one for one in answers if one.alarmed_at is None and is_overdue(one, now)]


def _entry(side: str, answer: OwedAnswer, now: datetime, *, overdue: bool) -> AuditEntry:
    action = OVERDUE_ENTRY if overdue else DUE_ENTRY
    detail = {"side": side, "peer": answer.peer, "kind": answer.kind}
    return AuditEntry(now, answer.contact_point, action, answer.contact_point, answer.message_id, detail)


def _log_one(side: str, answer: OwedAnswer, *, overdue: bool) -> None:
    by = {"from": answer.peer} if side == OURS else {"recipient": answer.peer}
    _log.warning(
        OVERDUE_ENTRY if overdue else DUE_ENTRY,
        contact_point=answer.contact_point,
        message_id=answer.message_id,
        kind=answer.kind,
        urgency=answer.urgency,
        status=answer.status,
        **by,
    )
