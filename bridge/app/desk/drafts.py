"""Writing alerts: drafts that rest encrypted until they are sent or discarded.

Rules:
1. A draft may be incomplete and wrong: nothing that was typed is refused, changed or lost. What may be sent is decided
   when it is checked (`bridge.app.desk.releasing`).
2. Whoever changes a draft names the revision that they saw; what somebody else saved meanwhile is never overwritten,
   nor what the same officer saved from another window.
3. One officer at a time writes a draft. Another may take it over or keep it as another draft; then neither of them
   approves it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import Person
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.vocabulary import ALERT_KINDS
from bridge.core.wire import strict_json
from bridge.ports.clock import Clock, Ids
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.drafts import DISCARDED, RELEASED, RETURNED, SUBMITTED, WRITING, DraftRecord
from bridge.ports.store.records import AuditEntry
from bridge.ports.vault import BodyAtRest, BodyVault

OPEN: Final = (WRITING, RETURNED)
MOST_LISTED: Final = 100


@dataclass(frozen=True, slots=True)
class Written:
    """What a draft holds.

    Attributes:
        document: an alert file (`bridge.core.messages.alert_file`), as far as it is written.
        confirmed: what looks like personal data and is nobody's, by `bridge.app.desk.checking.key_of`.
        is_partial: it goes to the rest where a country cannot be reached.
        writers: the logins of all who wrote it.
        note: what an approver said: why it was returned, or on reviewing it.
        reason: why it was released without a second person.
        recipients: who was to receive it when it was submitted.
        window: in which it was typed last: one window's own requests may overtake each other. Once it is released, the
            `form_key` of what was sent.
    """

    document: Mapping[str, object] = field(repr=False)
    confirmed: tuple[str, ...] = ()
    is_partial: bool = False
    writers: tuple[str, ...] = ()
    note: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)
    recipients: tuple[str, ...] = ()
    window: str = ""

    @property
    def title(self) -> str:
        """What it is about; empty where nothing was typed."""
        title = self.body.get("title")
        return title if isinstance(title, str) else ""

    @property
    def body(self) -> Mapping[str, object]:
        """The alert's body, as far as it is written."""
        body = self.document.get("body")
        return body if isinstance(body, dict) else MappingProxyType({})


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft and what it holds."""

    record: DraftRecord
    written: Written


@dataclass(frozen=True, slots=True)
class WriteDrafts:
    """The drafts of a node's officers."""

    store: Store
    vault: BodyVault
    clock: Clock
    ids: Ids

    async def begin(self, person: Person, written: Written) -> OpenDraft:
        """A new draft.

        Raises:
            BadInputError: `E_CODE`, the document has no kind that is written here.
        """
        async with self.store.writing() as unit:
            return await self._begin(unit, self.ids.new(self.clock.now()), person, written)

    async def open(self, draft_id: str, person: Person) -> OpenDraft:
        """A draft of the person's contact point; that it is read is in the log before.

        Raises:
            BadInputError: `E_UNKNOWN_DRAFT`, there is none.
            RefusedError: `E_DRAFT_STATE`, it was discarded.
        """
        async with self.store.writing() as unit:
            draft = await self.find(unit, draft_id, person)
            await self.note(unit, person, draft.record, "draft.read")
        return draft

    async def list(self, person: Person, states: Collection[str] = (*OPEN, SUBMITTED)) -> Sequence[OpenDraft]:
        """The drafts of the person's contact point, the last changed first; one entry in the log for the look."""
        contact_point = person.contact_point or ""
        async with self.store.reading() as unit:
            found = await unit.drafts.list(contact_point, states, limit=MOST_LISTED)
        if found:
            async with self.store.writing() as unit:
                entry = AuditEntry(self.clock.now(), person.login, "drafts.listed", contact_point, None)
                await unit.audit.add([entry])
        return [self.opened(record) for record in found]

    async def save(
        self, draft_id: str, person: Person, written: Written, *, revision: int, window: str = ""
    ) -> OpenDraft:
        """What was typed takes the place of what `revision` held.

        Args:
            draft_id: the draft's; with revision 0 a fresh id, of a draft that begins with this.
            person: who writes it.
            written: what was typed.
            revision: the one that they saw.
            window: where it was typed; what was saved last from the same one is older than this.

        Raises:
            RefusedError: `E_DRAFT_CHANGED`, somebody saved it meanwhile; `E_DRAFT_STATE`, it is not being written;
                `E_NOT_AUTHOR`, another officer writes it.
        """
        async with self.store.writing() as unit:
            if revision == 0 and await unit.drafts.get(draft_id) is None:
                return await self._begin(unit, draft_id, person, written)
            draft = await self.own(unit, draft_id, person)
            kept = replace(written, writers=draft.written.writers, note=draft.written.note)
            if replace(kept, window="") == replace(draft.written, window=""):
                return draft
            if window and window == draft.written.window:
                revision = draft.record.revision
            return await self.change(unit, draft, revision=revision, written=kept)

    async def fork(self, source: str, person: Person, written: Written) -> OpenDraft:
        """What was typed in one draft becomes another; whoever wrote the first wrote this one too.

        Raises:
            BadInputError: as `begin` does.
        """
        async with self.store.writing() as unit:
            record = await unit.drafts.get(source)
            writers: tuple[str, ...] = ()
            if record is not None and record.contact_point == person.contact_point:
                writers = self.opened(record).written.writers if record.sealed else (record.author,)
            return await self._begin(unit, self.ids.new(self.clock.now()), person, replace(written, writers=writers))

    async def take_over(self, draft_id: str, person: Person, *, revision: int) -> OpenDraft:
        """The person goes on with what another officer wrote.

        Raises:
            RefusedError: `E_DRAFT_CHANGED`, `E_DRAFT_STATE`.
        """
        check_may(person, Permission.WRITE_ALERTS)
        async with self.store.writing() as unit:
            draft = await self.find(unit, draft_id, person)
            check_state(draft.record, OPEN)
            writers = tuple(dict.fromkeys((*draft.written.writers, person.login)))
            taken = await self.change(
                unit, draft, revision=revision, written=replace(draft.written, writers=writers), author=person.login
            )
            await self.note(unit, person, taken.record, "draft.taken_over")
        return taken

    async def discard(self, draft_id: str, person: Person, *, revision: int, window: str = "") -> None:
        """Destroys what was written; that there was a draft stays in the log.

        What the same `window` saved meanwhile goes with it.

        Raises:
            RefusedError: as `save` does.
        """
        async with self.store.writing() as unit:
            draft = await self.own(unit, draft_id, person)
            if window and window == draft.written.window:
                revision = draft.record.revision
            gone = replace(draft.record, state=DISCARDED, sealed=None, decided_by=person.login)
            await self._store(unit, replace(gone, decided_at=self.clock.now()), revision=revision)
            await self.note(unit, person, gone, "draft.discarded")

    async def state_of(self, draft_id: str, person: Person, written: Written) -> str | None:
        """How far the person's own draft is with what is `written`; `None` where it is none of theirs or differs."""
        async with self.store.reading() as unit:
            record = await unit.drafts.get(draft_id)
        if record is None or (record.contact_point, record.author) != (person.contact_point, person.login):
            return None
        if record.sealed is None:
            return record.state
        kept = self.opened(record).written
        sent = kept.window if record.state == RELEASED else form_key(replace(kept, window=written.window))
        return record.state if sent == form_key(written) else None

    async def find(self, unit: UnitOfWork, draft_id: str, person: Person) -> OpenDraft:
        """A draft in the caller's transaction; see `open`."""
        record = await unit.drafts.get(draft_id)
        if record is None or record.contact_point != person.contact_point:
            raise BadInputError("E_UNKNOWN_DRAFT", f"there is no draft {draft_id} here; draft list shows what there is")
        if record.sealed is None:
            raise RefusedError("E_DRAFT_STATE", f"draft {draft_id} was discarded by {record.decided_by}")
        return self.opened(record)

    async def own(self, unit: UnitOfWork, draft_id: str, person: Person) -> OpenDraft:
        """A draft that the person is writing, in the caller's transaction; raises as `save` does."""
        check_may(person, Permission.WRITE_ALERTS)
        draft = await self.find(unit, draft_id, person)
        check_state(draft.record, OPEN)
        if draft.record.author != person.login:
            sentence = f"{draft.record.author} writes this draft; take it over to go on with it"
            raise RefusedError("E_NOT_AUTHOR", sentence)
        return draft

    async def change(
        self, unit: UnitOfWork, draft: OpenDraft, *, revision: int, written: Written, **columns: object
    ) -> OpenDraft:
        """Stores a draft's next revision in the caller's transaction; raises `E_DRAFT_CHANGED`."""
        record = replace(draft.record, **columns)  # type: ignore[arg-type]  # the names are its own, as callers see
        changed = self.sealed(record, written)
        stored = await self._store(unit, changed.record, revision=revision)
        return OpenDraft(stored, written)

    async def note(self, unit: UnitOfWork, person: Person, record: DraftRecord, action: str, **detail: str) -> None:
        """Logs what somebody did with a draft."""
        entry = AuditEntry(
            self.clock.now(), person.login, action, record.contact_point, record.message_id or record.id, detail
        )
        await unit.audit.add([entry])

    def sealed(self, record: DraftRecord, written: Written) -> OpenDraft:
        """The record with what it holds, encrypted."""
        members = {
            "document": written.document,
            "confirmed": list(written.confirmed),
            "is_partial": written.is_partial,
            "writers": list(written.writers),
            "note": written.note,
            "reason": written.reason,
            "recipients": list(written.recipients),
            "window": written.window,
        }
        body = self.vault.put(record.contact_point, strict_json.encode(members), context=_context(record))
        return OpenDraft(replace(record, sealed=body), written)

    def opened(self, record: DraftRecord) -> OpenDraft:
        """What a record holds, decrypted."""
        sealed = record.sealed or BodyAtRest(b"", b"")
        members = strict_json.parse_object(self.vault.get(record.contact_point, sealed, context=_context(record)))
        return OpenDraft(record, _written(members))

    async def _begin(self, unit: UnitOfWork, draft_id: str, person: Person, written: Written) -> OpenDraft:
        contact_point = check_may(person, Permission.WRITE_ALERTS)
        kind, supersedes = written.document.get("kind"), written.document.get("supersedes")
        if not isinstance(kind, str) or kind not in ALERT_KINDS:
            raise BadInputError("E_CODE", f"$.kind: expected one of {', '.join(ALERT_KINDS)}", path="$.kind")
        now = self.clock.now()
        record = DraftRecord(
            id=draft_id,
            contact_point=contact_point,
            author=person.login,
            kind=kind,
            state=WRITING,
            revision=1,
            created_at=now,
            changed_at=now,
            sealed=None,
            supersedes=supersedes if isinstance(supersedes, str) else None,
        )
        draft = self.sealed(record, replace(written, writers=tuple(dict.fromkeys((*written.writers, person.login)))))
        await unit.drafts.add(draft.record)
        await self.note(unit, person, draft.record, "draft.begun")
        return draft

    async def _store(self, unit: UnitOfWork, record: DraftRecord, *, revision: int) -> DraftRecord:
        changed = replace(record, revision=revision + 1, changed_at=self.clock.now())
        if not await unit.drafts.replace(changed, revision=revision):
            sentence = f"draft {record.id} was changed since you opened it; what you typed is not saved in it"
            raise RefusedError("E_DRAFT_CHANGED", sentence)
        return changed


def form_key(written: Written) -> str:
    """Names a form as it was sent, for knowing it again: its window, which is random, and what was typed in it."""
    sent = [written.window, written.document, list(written.confirmed), written.is_partial]
    return hashlib.sha256(json.dumps(sent, sort_keys=True).encode()).hexdigest()[:32]


def check_may(person: Person, permission: Permission) -> str:
    """The person's contact point; raises `RefusedError` `E_PERMISSION` where their roles do not allow it."""
    if person.contact_point is None or not person.may(permission):
        raise RefusedError(
            "E_PERMISSION", f"the roles of {person.login} do not allow to {permission.replace('_', ' ')}"
        )
    return person.contact_point


def check_state(record: DraftRecord, states: Collection[str]) -> None:
    """Raises `RefusedError` `E_DRAFT_STATE` where the draft is in another state."""
    if record.state not in states:
        raise RefusedError("E_DRAFT_STATE", f"draft {record.id} is {record.state}; expected {' or '.join(states)}")


def _context(record: DraftRecord) -> str:
    return f"draft/{record.id}"


def _written(members: Mapping[str, object]) -> Written:
    """What `sealed` stored; it was ours, and the vault has authenticated it."""
    known = {name: members[name] for name in Written.__dataclass_fields__ if name in members}
    lists = {name: tuple(value) for name, value in known.items() if isinstance(value, list)}
    return Written(**(known | lists))  # type: ignore[arg-type]  # as above
