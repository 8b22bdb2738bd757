"""Release: an alert leaves when a second person has looked at it.

Rules:
1. An approver releases what an officer of the same contact point wrote, and never what they wrote themselves: by
   account, not by name, also where one account has both roles. The database holds to it too.
2. What is released is the revision that was submitted, to the recipients that the approver saw. The plan is made anew
   at that moment; where it differs, it is shown and asked again.
3. In an emergency the author releases alone, with a reason, what is immediate; an approver reviews it afterwards.
4. Of two updates of one version, the second is refused (`SendMessages.send_in`): its author looks at the new version
   first.
5. Message, outbox and the draft's state are one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import Person
from bridge.app.desk.checking import Checked, check, recipients_key
from bridge.app.desk.drafts import MOST_LISTED, OpenDraft, WriteDrafts, Written, check_may, check_state, form_key
from bridge.app.sending.send import Draft, Submitted
from bridge.app.sending.submit import SubmitAlerts
from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.store.drafts import RELEASED, RETURNED, SUBMITTED, WRITING

SHORTEST_REASON: Final = 10
LONGEST_NOTE: Final = 2000
EMERGENCY_URGENCY: Final = "immediate"


@dataclass(frozen=True, slots=True)
class ReleaseAlerts:
    """Submits, releases and returns the drafts of a node."""

    drafts: WriteDrafts
    submitting: SubmitAlerts

    async def check(self, written: Written, *, sender: str) -> Checked:
        """Everything that stands against sending what was written; changes nothing."""
        return await check(self.submitting, written, sender=sender)

    async def submit(self, draft_id: str, person: Person, *, revision: int) -> OpenDraft:
        """The author asks for the release.

        Raises:
            BadInputError: a fault of the document.
            RefusedError: what `Checked.ready` refuses; `E_DRAFT_STATE`, `E_DRAFT_CHANGED`, `E_NOT_AUTHOR`.
        """
        draft = await self._author(draft_id, person)
        ready = (await self.check(draft.written, sender=draft.record.contact_point)).ready()
        recipients = tuple(recipient.id for recipient in ready.plan.recipients)
        async with self.drafts.store.writing() as unit:
            submitted = await self.drafts.change(
                unit,
                draft,
                revision=revision,
                written=replace(draft.written, recipients=recipients, note=""),
                state=SUBMITTED,
                submitted_at=self._now(),
            )
            await self.drafts.note(unit, person, submitted.record, "draft.submitted")
        return submitted

    async def withdraw(self, draft_id: str, person: Person, *, revision: int) -> OpenDraft:
        """The author takes back what nobody has released yet, to go on writing."""
        async with self.drafts.store.writing() as unit:
            draft = await self.drafts.find(unit, draft_id, person)
            check_state(draft.record, (SUBMITTED,))
            if draft.record.author != person.login:
                raise RefusedError("E_NOT_AUTHOR", f"{draft.record.author} wrote this draft; an approver may return it")
            changed = await self.drafts.change(unit, draft, revision=revision, written=draft.written, state=WRITING)
            await self.drafts.note(unit, person, changed.record, "draft.withdrawn")
        return changed

    async def release(self, draft_id: str, person: Person, *, revision: int, recipients: str) -> Submitted:
        """A second person sends what was submitted.

        Args:
            draft_id: the draft.
            person: the approver.
            revision: the one that they saw.
            recipients: `recipients_key` of the plan that they saw.

        Raises:
            RefusedError: `E_SECOND_PERSON`, they wrote it; `E_RECIPIENTS_CHANGED`, somebody else would receive it by
                now; `E_SUPERSEDED`, the version that it replaces was replaced; and as `submit` and `SendMessages` do.
        """
        draft = await self._second(draft_id, person, SUBMITTED)
        ready = (await self.check(draft.written, sender=draft.record.contact_point)).ready()
        if recipients_key(ready.plan) != recipients:
            sentence = "who receives this has changed since you looked; look at the recipients again"
            raise RefusedError("E_RECIPIENTS_CHANGED", sentence)
        return await self._send(draft, ready, person, revision=revision)

    async def release_in_emergency(
        self, draft_id: str, person: Person, *, revision: int, reason: str, window: str = ""
    ) -> Submitted:
        """The author sends an immediate alert alone, from a `window`; an approver reviews it afterwards.

        Raises:
            BadInputError: `E_REASON`, it says too little or too much.
            RefusedError: `E_NOT_IMMEDIATE`; and as `submit` and `SendMessages` do.
        """
        draft = await self._author(draft_id, person)
        ready = (await self.check(draft.written, sender=draft.record.contact_point)).ready()
        if ready.urgency != EMERGENCY_URGENCY:
            sentence = f"$.urgency: found {ready.urgency}; only what is immediate leaves without a second person"
            raise RefusedError("E_NOT_IMMEDIATE", sentence, path="$.urgency")
        if not SHORTEST_REASON <= len(reason.strip()) <= LONGEST_NOTE:
            sentence = (
                f"reason: expected {SHORTEST_REASON} to {LONGEST_NOTE} characters that say why nobody else released it"
            )
            raise BadInputError("E_REASON", sentence, path="reason")
        typed = replace(draft, written=replace(draft.written, window=window))
        return await self._send(typed, ready, person, revision=revision, reason=reason.strip())

    async def return_to_author(self, draft_id: str, person: Person, *, revision: int, note: str) -> OpenDraft:
        """An approver gives a draft back, and says what is missing.

        Raises:
            BadInputError: `E_NOTE`.
            RefusedError: `E_SECOND_PERSON`, `E_DRAFT_STATE`, `E_DRAFT_CHANGED`.
        """
        draft = await self._second(draft_id, person, SUBMITTED)
        written = replace(draft.written, note=_note(note, is_required=True))
        async with self.drafts.store.writing() as unit:
            returned = await self.drafts.change(
                unit,
                draft,
                revision=revision,
                written=written,
                state=RETURNED,
                decided_at=self._now(),
                decided_by=person.login,
            )
            await self.drafts.note(unit, person, returned.record, "draft.returned")
        return returned

    async def to_review(self, person: Person) -> Sequence[OpenDraft]:
        """What left in an emergency and nobody has reviewed."""
        contact_point = check_may(person, Permission.RELEASE)
        async with self.drafts.store.reading() as unit:
            found = await unit.drafts.to_review(contact_point, limit=MOST_LISTED)
        return [self.drafts.opened(record) for record in found]

    async def review(self, draft_id: str, person: Person, *, revision: int, note: str) -> None:
        """An approver has looked at what left in an emergency.

        Raises:
            RefusedError: `E_SECOND_PERSON`, `E_DRAFT_STATE`, `E_DRAFT_CHANGED`.
        """
        draft = await self._second(draft_id, person, RELEASED)
        if not draft.record.is_emergency or draft.record.reviewed_at is not None:
            raise RefusedError("E_DRAFT_STATE", f"draft {draft_id} has nothing to be reviewed")
        written = replace(draft.written, note=_note(note, is_required=False))
        async with self.drafts.store.writing() as unit:
            reviewed = await self.drafts.change(
                unit, draft, revision=revision, written=written, reviewed_at=self._now(), reviewed_by=person.login
            )
            await self.drafts.note(unit, person, reviewed.record, "draft.reviewed")

    async def _send(
        self, draft: OpenDraft, ready: Draft, person: Person, *, revision: int, reason: str | None = None
    ) -> Submitted:
        record, sending = draft.record, self.submitting.sending
        async with self.drafts.store.writing() as unit:
            submitted = await sending.send_in(
                unit, ready, sender=record.contact_point, partial=draft.written.is_partial
            )
            # The message has the text now; kept is what only the draft knows.
            rest = replace(
                draft.written, document={}, confirmed=(), reason=reason or "", window=form_key(draft.written)
            )
            released = await self.drafts.change(
                unit,
                draft,
                revision=revision,
                written=rest,
                state=RELEASED,
                decided_at=self._now(),
                decided_by=person.login,
                is_emergency=reason is not None,
                message_id=submitted.id,
            )
            action = "draft.released" if reason is None else "draft.released_in_emergency"
            await self.drafts.note(unit, person, released.record, action, author=record.author, draft=record.id)
        return submitted

    async def _author(self, draft_id: str, person: Person) -> OpenDraft:
        async with self.drafts.store.reading() as unit:
            return await self.drafts.own(unit, draft_id, person)

    async def _second(self, draft_id: str, person: Person, state: str) -> OpenDraft:
        check_may(person, Permission.RELEASE)
        async with self.drafts.store.reading() as unit:
            draft = await self.drafts.find(unit, draft_id, person)
        check_state(draft.record, (state,))
        if not is_second(draft, person):
            raise RefusedError("E_SECOND_PERSON", "you wrote this yourself; another approver has to look at it")
        return draft

    def _now(self) -> datetime:
        return self.drafts.clock.now()


def is_second(draft: OpenDraft, person: Person) -> bool:
    """Whether the person had no hand in the draft."""
    return person.login not in {draft.record.author, *draft.written.writers}


def _note(note: str, *, is_required: bool) -> str:
    text = note.strip()
    if len(text) > LONGEST_NOTE or (is_required and not text):
        raise BadInputError("E_NOTE", f"note: expected {int(is_required)} to {LONGEST_NOTE} characters", path="note")
    return text
