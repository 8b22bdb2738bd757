"""Which answers of people are overdue, on either side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.app.checks.durations import span_in_words
from bridge.app.desk.deadlines import is_due, is_overdue, owed_answers
from bridge.ports.store import Store
from bridge.ports.store.deadlines import OwedAnswer

MOST_NAMED: Final = 10


async def check_answers(store: Store, *, contact_points: Collection[str], now: datetime) -> Check:
    """One finding: what nobody here has acknowledged in time, and who has not acknowledged what we sent."""
    async with store.reading() as unit:
        owed = await owed_answers(unit, contact_points, now=now)
    ours = [one for one in owed.ours if is_overdue(one, now)]
    theirs = [one for one in owed.theirs if is_overdue(one, now)]
    due = sum(is_due(one, now) for one in (*owed.ours, *owed.theirs))
    waiting = f"{len(owed.ours)} wait for an answer here, {len(owed.theirs)} elsewhere, {due} of them due soon"
    if not ours and not theirs:
        return Check("answers", ok=True, detail=f"{waiting}; none is overdue")
    said = [f"{one.contact_point} has not acknowledged {_named(one, now)} from {one.peer}" for one in ours] + [
        f"{one.peer} has not acknowledged {_named(one, now)} from {one.contact_point}" for one in theirs
    ]
    return Check("answers", ok=False, detail=f"{waiting}. {_first(said)}", state=states.ANSWER_OVERDUE)


def _named(answer: OwedAnswer, now: datetime) -> str:
    return f"{answer.urgency} {answer.kind} {answer.message_id}, {span_in_words(now - answer.due_at)} overdue,"


def _first(said: Sequence[str]) -> str:
    more = len(said) - MOST_NAMED
    return "; ".join(said[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
