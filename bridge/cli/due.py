"""`inbox due` and `outbox due`: whose answer is waited for, and until when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from bridge.app.checks.durations import span_in_words
from bridge.app.desk.deadlines import OwedAnswers, is_overdue, owed_answers
from bridge.cli.options import check_hosted, on_node
from bridge.cli.output import emit, table
from bridge.cli.wording import moment
from bridge.compose.node import Node
from bridge.core.times import format_time
from bridge.ports.store.deadlines import OwedAnswer

_TIMES: Final = ("since", "due_at", "reminded_at", "alarmed_at")


def show_due(config: Path, *, contact_point: str | None, is_ours: bool, as_json: bool) -> None:
    """Prints what waits for an answer of ours, or of recipients, the soonest due first."""

    async def work(node: Node) -> tuple[OwedAnswers, datetime]:
        check_hosted(node, contact_point)
        now = node.clock.now()
        async with node.store.reading() as unit:
            return await owed_answers(unit, [contact_point] if contact_point else node.hosted, now=now), now

    owed, now = on_node(config, work)
    answers, peer = (owed.ours, "from") if is_ours else (owed.theirs, "recipient")
    items = [_item(answer, peer, now) for answer in answers]
    emit({"items": items}, as_json=as_json, text=lambda: _text(answers, peer, now))


def _item(answer: OwedAnswer, peer: str, now: datetime) -> Mapping[str, object]:
    times = {name: getattr(answer, name) for name in _TIMES}
    return {
        "id": answer.message_id,
        "contact_point": answer.contact_point,
        peer: answer.peer,
        "kind": answer.kind,
        "urgency": answer.urgency,
        "status": answer.status,
        **{name: format_time(at) if at else None for name, at in times.items()},
        "overdue": is_overdue(answer, now),
    }


def _text(answers: Sequence[OwedAnswer], peer: str, now: datetime) -> str:
    columns = ("id", "contact_point", peer, "kind", "urgency", "status", "due_at", "time")
    rows = [
        (
            one.message_id,
            one.contact_point,
            one.peer,
            one.kind,
            one.urgency,
            one.status,
            moment(one.due_at),
            f"{span_in_words(abs(one.due_at - now))} {'overdue' if is_overdue(one, now) else 'left'}",
        )
        for one in answers
    ]
    return table(columns, rows)
