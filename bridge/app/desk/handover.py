"""Handing over a shift: what is open, with a note, to a person or to whoever comes; taken over in so many words.

Rules:
1. What is open is listed as it is at that moment and kept with the hand-over: what needs action or is in progress,
   whose answer is awaited, and drafts. The note rests encrypted, as bodies do, and each look at it is logged.
2. A hand-over waits until an officer of the contact point takes it: the one it was meant for, or another who is there
   and names whom they stand in for. Nobody takes their own.
3. What the one who gave it has in hand at that moment is then in the hand of the one who took it.
4. Giving and taking are in the audit log.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import Person, person_of
from bridge.app.desk.deadlines import owed_answers
from bridge.app.desk.drafts import OPEN
from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.clock import Clock, Ids
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.deadlines import OwedAnswer
from bridge.ports.store.desk import DeskItem, Group
from bridge.ports.store.drafts import SUBMITTED, DraftRecord
from bridge.ports.store.handovers import HandoverRecord
from bridge.ports.store.records import AuditEntry
from bridge.ports.vault import BodyVault

LONGEST_NOTE: Final = 4000  # characters
MOST_ITEMS: Final = 200  # of each kind
AWAITED: Final = "awaited"
DRAFT: Final = "draft"


@dataclass(frozen=True, slots=True)
class OpenItems:
    """What is open at a contact point; nothing of it is opened."""

    needs_action: Sequence[DeskItem]
    in_progress: Sequence[DeskItem]
    awaited: Sequence[OwedAnswer]
    drafts: Sequence[DraftRecord]

    @property
    def named(self) -> tuple[tuple[str, str, str], ...]:
        """(kind of item, id, who else) of each."""
        return (
            *((Group.NEEDS_ACTION.value, item.id, item.sender) for item in self.needs_action),
            *((Group.IN_PROGRESS.value, item.id, item.sender) for item in self.in_progress),
            *((AWAITED, answer.message_id, answer.peer) for answer in self.awaited),
            *((DRAFT, draft.id, draft.author) for draft in self.drafts),
        )


@dataclass(frozen=True, slots=True)
class HandOver:
    """Shifts at the contact points of one node."""

    store: Store
    vault: BodyVault
    clock: Clock
    ids: Ids

    async def open_items(self, contact_point: str) -> OpenItems:
        """What is open now."""
        async with self.store.reading() as unit:
            return await _open_items(unit, contact_point, self.clock.now())

    async def colleagues(self, person: Person) -> Sequence[Person]:
        """To whom this person may hand over by name."""
        async with self.store.reading() as unit:
            accounts = await unit.accounts.list()
        people = [person_of(account) for account in accounts if account.disabled_at is None]
        return [one for one in people if one.login != person.login and _is_officer_of(one, person.contact_point)]

    async def list(self, contact_point: str) -> Sequence[HandoverRecord]:
        """The newest hand-overs first; their notes are not opened."""
        async with self.store.reading() as unit:
            return await unit.handovers.list(contact_point)

    async def give(self, person: Person, *, note: str, to: str | None) -> HandoverRecord:
        """Hands over everything that is open.

        Args:
            person: who leaves.
            note: for who comes; may be empty.
            to: a colleague's login; `None`: whoever comes.

        Raises:
            BadInputError: `E_HANDOVER`, naming the field.
            RefusedError: `E_NOT_ALLOWED`, the person does not answer messages.
        """
        own, now = _officer(person), self.clock.now()
        if len(note) > LONGEST_NOTE:
            raise BadInputError("E_HANDOVER", f"note: expected at most {LONGEST_NOTE} characters", path="note")
        if to is not None and to not in {one.login for one in await self.colleagues(person)}:
            raise BadInputError("E_HANDOVER", f"to: {to} is no other officer of {own}", path="to")
        handover_id = self.ids.new(now)
        async with self.store.writing() as unit:
            items = (await _open_items(unit, own, now)).named
            given = HandoverRecord(
                id=handover_id,
                contact_point=own,
                given_by=person.login,
                given_to=to,
                given_at=now,
                items=items,
                note=self.vault.put(own, note.encode(), context=_context(handover_id)),
            )
            await unit.handovers.add(given)
            counts = {kind: str(count) for kind, count in sorted(Counter(kind for kind, _, _ in items).items())}
            detail = counts | {"to": to or ""}
            await unit.audit.add([AuditEntry(now, person.login, "shift.handed_over", own, handover_id, detail)])
        return given

    async def take(self, handover_id: str, person: Person, *, instead_of: str = "") -> HandoverRecord:
        """Takes a shift over. `instead_of`: the login that it was meant for, from another who is there.

        Raises:
            BadInputError: `E_HANDOVER`, there is none of this id.
            RefusedError: `E_HANDOVER_TAKEN`, somebody has it, or `E_HANDOVER_OWN`, or `E_HANDOVER_FOR`, it waits for
                somebody else, or `E_NOT_ALLOWED`.
        """
        own, now = _officer(person), self.clock.now()
        async with self.store.writing() as unit:
            given = await _known(unit, handover_id, own)
            if given.given_by == person.login:
                raise RefusedError(
                    "E_HANDOVER_OWN", "a shift is taken over by another officer than the one who gave it"
                )
            if given.taken_at is None and given.given_to not in (None, person.login, instead_of):
                raise RefusedError(
                    "E_HANDOVER_FOR", f"this shift waits for {given.given_to}; whoever stands in for them says so"
                )
            if not await unit.handovers.take(handover_id, by=person.login, at=now):
                raise RefusedError("E_HANDOVER_TAKEN", "this shift has been taken over already")
            for group in (Group.NEEDS_ACTION, Group.IN_PROGRESS):
                for item in await unit.desk.list(own, group, limit=MOST_ITEMS):
                    if item.taken_by == given.given_by:
                        await _pass_on(unit, item, given.given_by, person.login, now)
            detail = {"from": given.given_by, "to": given.given_to or ""}
            await unit.audit.add([AuditEntry(now, person.login, "shift.taken", own, handover_id, detail)])
            return await _known(unit, handover_id, own)

    async def show(self, handover_id: str, person: Person) -> tuple[HandoverRecord, str]:
        """One hand-over with its note; the look is logged.

        Raises:
            BadInputError: `E_HANDOVER`, there is none of this id.
        """
        own = person.contact_point or ""
        async with self.store.writing() as unit:
            given = await _known(unit, handover_id, own)
            await unit.audit.add([AuditEntry(self.clock.now(), person.login, "shift.read", own, handover_id)])
        return given, self.vault.get(own, given.note, context=_context(handover_id)).decode()

    async def person(self, login: str) -> Person:
        """An account's person, for the command line.

        Raises:
            BadInputError: `E_ACCOUNT`.
        """
        async with self.store.reading() as unit:
            account = await unit.accounts.get(login)
        if account is None or account.disabled_at is not None:
            raise BadInputError("E_ACCOUNT", f"officer: there is no open account {login}", path="officer")
        return person_of(account)


async def _open_items(unit: UnitOfWork, contact_point: str, now: datetime) -> OpenItems:
    owed = await owed_answers(unit, [contact_point], now=now)
    return OpenItems(
        needs_action=await unit.desk.list(contact_point, Group.NEEDS_ACTION, limit=MOST_ITEMS),
        in_progress=await unit.desk.list(contact_point, Group.IN_PROGRESS, limit=MOST_ITEMS),
        awaited=owed.theirs[:MOST_ITEMS],
        drafts=await unit.drafts.list(contact_point, (*OPEN, SUBMITTED), limit=MOST_ITEMS),
    )


async def _pass_on(unit: UnitOfWork, item: DeskItem, giver: str, taker: str, at: datetime) -> None:
    """From hand to hand, unless somebody else has it since it was listed."""
    key = item.sender, item.id
    found = await unit.desk.lock(item.contact_point, key)
    if found is not None and found.taken_by == giver:
        await unit.desk.take(item.contact_point, key, taker, at)


async def _known(unit: UnitOfWork, handover_id: str, contact_point: str) -> HandoverRecord:
    given = await unit.handovers.get(handover_id)
    if given is None or given.contact_point != contact_point:
        raise BadInputError("E_HANDOVER", f"there is no hand-over {handover_id} at {contact_point}")
    return given


def _officer(person: Person) -> str:
    if person.contact_point is None or not person.may(Permission.ANSWER):
        raise RefusedError("E_NOT_ALLOWED", f"{person.login} is no duty officer: only those hand over shifts")
    return person.contact_point


def _is_officer_of(person: Person, contact_point: str | None) -> bool:
    return person.contact_point == contact_point and person.may(Permission.ANSWER)


def _context(handover_id: str) -> str:
    return f"handover/{handover_id}"
