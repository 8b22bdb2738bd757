"""A duty officer's answer: a signed, sealed message back, in the officer's name; the item moves on with it.

The answer carries the handling marks of what it answers (vocabulary: every body), so it is never handled more loosely.
It is kept as long, and 14 days at least: the sender reads it after what it answers had to be erased, too.
Answer and new state are one transaction: an item is acknowledged exactly when its answer is in the outbox. That
transaction also decides between two officers who answer at once: who saw an older state than there is, is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.receiving.inbox_items import body_context
from bridge.app.sending.send import Draft, SendMessages, Submitted
from bridge.app.sending.submit import plan_for_answer
from bridge.core.errors import RefusedError
from bridge.core.messages.rules import MAX_RETENTION
from bridge.core.times import format_time, parse_time
from bridge.core.vocabulary import CODE_LISTS
from bridge.core.wire import strict_json
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import AuditEntry, InboxItem
from bridge.ports.vault import BodyAtRest

KIND: Final = "acknowledgement"
ACKNOWLEDGED: Final = "message.acknowledged"
KEPT_AT_LEAST: Final = timedelta(days=14)
MARKS: Final = (
    "title",
    "language",
    "tlp",
    "handling",
    "handling_note",
    "classification",
    "purpose",
    "legal_basis",
    "retain_until",
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What an officer saw before answering, by message ids; nothing where there was none.

    Attributes:
        answer: the last answer from here.
        replaced_by: the last message that took the place of what is answered.
    """

    answer: str
    replaced_by: str


@dataclass(frozen=True, slots=True)
class AcknowledgeMessages:
    """Acknowledges for the contact points of one node."""

    sending: SendMessages

    async def acknowledge(
        self,
        item: InboxItem,
        *,
        level: str,
        officer: str,
        note: str | None = None,
        redirect_to: str | None = None,
        login: str | None = None,
        seen: Seen | None = None,
    ) -> Submitted:
        """Answers `item` with `level` in the officer's name, and puts it into the hands of who answers first.

        Args:
            item: what is answered.
            level: of the answer.
            officer: the name that the answer carries.
            note: for the sender.
            redirect_to: whom to ask instead, with `not_competent`.
            login: by which the log knows the officer; `None`: by the name.
            seen: what must still hold when the answer is stored.

        Raises:
            BadInputError: the level, note or redirection is not what the code lists and rules have.
            RefusedError: the kind takes no acknowledgement, its body is gone, or the sender cannot be reached any more;
                `E_ANSWERED_MEANWHILE`, `E_REPLACED_MEANWHILE`: not what was `seen` any more.
        """
        if item.acknowledge_by is None or item.body is None:
            raise RefusedError("E_NO_ANSWER_EXPECTED", f"{item.state} {item.kind} {item.id} takes no acknowledgement")
        sending = self.sending
        now = sending.clock.now()
        reference = {"from": item.sender, "id": item.id, "payload_sha256": item.payload_sha256}
        body = {
            **self._marks(item, item.body, now),
            "of": reference,
            "level": level,
            "officer": officer,
            "at": format_time(now),
        }
        if note is not None:
            body["note"] = note
        if redirect_to is not None:
            body["redirect_to"] = redirect_to
        draft = Draft(
            kind=KIND,
            status=item.status,
            urgency=item.urgency,  # an answer takes the lane of what it answers
            body=body,
            plan=plan_for_answer(
                sending.trust.current(),
                item.sender,
                kind=KIND,
                status=item.status,
                sender=item.contact_point,
                at=now,
            ),
            thread=item.thread,
            references=(reference,),
        )
        actor = login or officer
        async with sending.store.writing() as unit:
            found = await unit.desk.lock(item.contact_point, (item.sender, item.id))
            if seen is not None:
                await _check_seen(unit, item, seen)
            submitted = await sending.send_in(unit, draft, sender=item.contact_point)
            await unit.inbox.set_state(item.contact_point, item.id, "acknowledged", sender=item.sender)
            if found is not None and found.taken_by is None:
                await unit.desk.take(item.contact_point, (item.sender, item.id), actor, now)
            detail = {"level": level, "answer": submitted.id, "officer": officer}
            entry = AuditEntry(now, actor, ACKNOWLEDGED, item.contact_point, item.id, detail)
            await unit.audit.add([entry])
        return submitted

    def _marks(self, item: InboxItem, body: BodyAtRest, now: datetime) -> dict[str, object]:
        context = body_context(item.contact_point, item.sender, item.id)
        members = strict_json.parse_object(self.sending.vault.get(item.contact_point, body, context=context))
        marks = _known_marks({name: members[name] for name in MARKS if name in members})
        return marks | {"retain_until": _retain_until(marks.get("retain_until"), now)}


async def answers_from_here(unit: UnitOfWork, item: InboxItem) -> Sequence[AuditEntry]:
    """The acknowledgements that this contact point gave to an item, newest first."""
    entries = await unit.audit.list(subject=item.id, action=ACKNOWLEDGED)
    return [entry for entry in entries if entry.contact_point == item.contact_point]


async def _check_seen(unit: UnitOfWork, item: InboxItem, seen: Seen) -> None:
    answers = await answers_from_here(unit, item)
    if answers and answers[0].detail["answer"] != seen.answer:
        last = answers[0]
        who = f"{last.detail.get('officer', last.actor)} answered {last.detail['level']} at {format_time(last.at)}"
        raise RefusedError("E_ANSWERED_MEANWHILE", f"{item.kind} {item.id} is acknowledged: {who}")
    replaced_by = await unit.desk.replaced_by(item.contact_point, (item.sender, item.id))
    if replaced_by is not None and replaced_by[1] != seen.replaced_by:
        sentence = f"{item.sender} sent {replaced_by[1]} in the place of {item.kind} {item.id}; read that first"
        raise RefusedError("E_REPLACED_MEANWHILE", sentence)


def _retain_until(answered: object, now: datetime) -> str:
    """Not before a fortnight from now, and not beyond what a body sent now may be kept."""
    wanted = parse_time(answered) if isinstance(answered, str) else now
    return format_time(min(max(wanted, now + KEPT_AT_LEAST), now + MAX_RETENTION))


def _known_marks(marks: dict[str, object]) -> dict[str, object]:
    """The marks in codes of this version: a newer version's unknown code becomes the strictest that is known."""
    handling = marks.get("handling", [])
    if marks.get("tlp") not in CODE_LISTS["tlp"]:
        marks["tlp"] = "RED"
    if isinstance(handling, list) and not set(handling) <= set(CODE_LISTS["handling"]):
        marks["handling"] = ["H3"]
        marks["handling_note"] = marks.get("handling_note", "as the sender marked what is answered")
    if marks.get("purpose") not in CODE_LISTS["purpose"]:
        marks["purpose"] = "victim_protection"
    return marks
