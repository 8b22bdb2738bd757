"""A duty officer's answer: a signed, sealed message back to the sender, and the item moves on. It carries the officer's name."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.app.submit import Draft, SubmitAlerts, Submitted
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.times import format_time
from bridge.ports.store.records import AuditEntry, InboxItem

KIND = "acknowledgement"


@dataclass(frozen=True, slots=True)
class AcknowledgeMessages:
    """Acknowledges for the contact points of one node."""

    submit: SubmitAlerts

    async def acknowledge(
        self, item: InboxItem, *, level: str, officer: str, note: str | None = None, redirect_to: str | None = None
    ) -> Submitted:
        """Answers `item` with `level` in the officer's name.

        Raises:
            BadInputError: the level, note or redirection is not what the code lists and rules have.
            RefusedError: the kind takes no acknowledgement, or the sender can no longer be reached.
        """
        if item.acknowledge_by is None:
            raise RefusedError("E_NO_ANSWER_EXPECTED", f"{item.kind} {item.id} takes no acknowledgement")
        reference = {"from": item.sender, "id": item.id, "payload_sha256": item.payload_sha256}
        now = self.submit.clock.now()
        body: dict[str, object] = {"of": reference, "level": level, "officer": officer, "at": format_time(now)}
        if note is not None:
            body["note"] = note
        if redirect_to is not None:
            body["redirect_to"] = redirect_to
        plan = self.submit.plan_for_answer(item.sender, kind=KIND, status=item.status, sender=item.contact_point)
        draft = Draft(
            kind=KIND,
            status=item.status,
            urgency=item.urgency,
            body=body,
            plan=plan,
            thread=item.thread,
            references=(reference,),
        )
        submitted = await self.submit.send(draft, sender=item.contact_point)
        async with self.submit.store.writing() as unit:
            await unit.inbox.set_state(item.contact_point, item.id, "acknowledged")
            detail = {"level": level, "answer": submitted.id}
            await unit.audit.add(
                [AuditEntry(now, officer, "message.acknowledged", item.contact_point, item.id, detail)]
            )
        return submitted

