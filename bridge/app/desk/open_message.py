"""One message opened for an officer: what it says, what became of it, and the thread that it belongs to.

Every look is logged before anything is handed out: one entry for the message, with the officer's reason where one was
given, and one that names the other messages of the thread that were opened for comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from bridge.app.desk.board import open_body, open_if_sound
from bridge.app.read_message import reason_detail
from bridge.app.receiving.inbox_items import body_context
from bridge.app.receiving.unchecked import checked_at, key_of
from bridge.app.sending.acknowledge import answers_from_here
from bridge.core.errors import BadInputError
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.desk import DeskItem, ItemId
from bridge.ports.store.records import AuditEntry, InboxItem, OutgoingMessage, OutgoingRecipient
from bridge.ports.vault import BodyVault

MOST_IN_THREAD: Final = 50
Members = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Version:
    """One message of a thread. `body` is empty for a stub and where it was erased."""

    id: str
    sender: str
    kind: str
    at: datetime
    supersedes: str | None
    body: Members = field(repr=False)


@dataclass(frozen=True, slots=True)
class Opened:
    """A message as it is shown.

    Attributes:
        item: what officers noted about it; `None` for a message of our own.
        recipients: with what is known of each; empty for a message that we received.
        payload: the signed header.
        kids: by which it is signed; `payload_sha256`, `sealed_sha256`, `wire_bytes`: what proves it.
        at: when it arrived, or was sent by us.
        answers: acknowledgements from here, newest first.
        replaced_by: the last message that took its place.
        thread: all of the thread, this one included, oldest first.
        unchecked_since: when the membership was last checked, where that was more than a week before it came.
    """

    item: DeskItem | None
    message: InboxItem | OutgoingMessage = field(repr=False)
    recipients: Sequence[OutgoingRecipient]
    payload: Members
    kids: Sequence[str]
    body: Members = field(repr=False)
    at: datetime
    answers: Sequence[AuditEntry]
    replaced_by: ItemId | None
    thread: Sequence[Version]
    unchecked_since: str | None

    @property
    def version(self) -> Version | None:
        """This message in its thread."""
        own = (self.message.sender, self.message.id)
        return next((one for one in self.thread if (one.sender, one.id) == own), None)

    @property
    def before(self) -> Version | None:
        """The version that it took the place of, where we have it."""
        wanted = (self.message.sender, self.message.supersedes)
        return next((one for one in self.thread if (one.sender, one.id) == wanted), None)


@dataclass(frozen=True, slots=True)
class OpenMessages:
    """Opens messages for the contact points of one node.

    Attributes:
        reason_for: the kinds for which the law asks why somebody looks.
    """

    store: Store
    vault: BodyVault
    clock: Clock
    reason_for: frozenset[str] = frozenset()

    async def open(
        self, contact_point: str, item: ItemId, *, officer: str, reason: str = "", marks_read: bool = True
    ) -> Opened:
        """A message that this contact point received or sent.

        Args:
            contact_point: whose.
            item: sender and id.
            officer: who looks.
            reason: why, where the law asks for one.
            marks_read: whether it counts as read from now on; not for who only supervises.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`; `E_REASON`, there is none and the kind asks for one.
        """
        async with self.store.reading() as unit:
            opened = await self._read(unit, contact_point, item, has_reason=bool(reason.strip()))
        why = reason_detail(opened.message.kind, reason, self.reason_for)
        await self._log(opened, contact_point, officer, why, marks_read=marks_read)
        return opened

    async def _read(self, unit: UnitOfWork, contact_point: str, item: ItemId, *, has_reason: bool) -> Opened:
        sender, message_id = item
        if sender == contact_point:
            return await self._own(unit, contact_point, message_id, has_reason=has_reason)
        found = await unit.desk.get(contact_point, item)
        received = [
            one for one in await unit.inbox.get(message_id, contact_point=contact_point) if one.sender == sender
        ]
        if found is None or not received:
            raise _unknown(item)
        (message,) = received
        envelope = parse_envelope(message.wire_bytes)
        return Opened(
            item=found,
            message=message,
            recipients=(),
            payload=strict_json.parse_object(envelope.payload_bytes),
            kids=[part.kid for part in envelope.signatures],
            body=open_body(self.vault, found),
            at=found.received_at,
            answers=await answers_from_here(unit, message),
            replaced_by=await unit.desk.replaced_by(contact_point, item),
            thread=await self._thread(unit, contact_point, found.thread, has_reason=has_reason),
            unchecked_since=(await checked_at(unit, message_id=message_id)).get(key_of(message)),
        )

    async def _own(self, unit: UnitOfWork, contact_point: str, message_id: str, *, has_reason: bool) -> Opened:
        message = await unit.ledger.get(message_id)
        if message is None or message.sender != contact_point:
            raise _unknown((contact_point, message_id))
        envelope = parse_envelope(message.wire_bytes)
        thread = await self._thread(unit, contact_point, message.thread, has_reason=has_reason)
        later = [one.id for one in thread if one.supersedes == message_id and one.sender == contact_point]
        return Opened(
            item=None,
            message=message,
            recipients=message.recipients,
            payload=strict_json.parse_object(envelope.payload_bytes),
            kids=[part.kid for part in envelope.signatures],
            body=self._own_body(message),
            at=message.sent,
            answers=(),
            replaced_by=(contact_point, later[-1]) if later else None,
            thread=thread,
            unchecked_since=None,
        )

    async def _thread(
        self, unit: UnitOfWork, contact_point: str, thread: str, *, has_reason: bool
    ) -> Sequence[Version]:
        """All of a thread; without a reason the kinds that ask for one stay closed."""
        closed = frozenset() if has_reason else self.reason_for
        received = await unit.desk.thread(contact_point, thread, limit=MOST_IN_THREAD)
        versions = [
            Version(
                one.id,
                one.sender,
                one.kind,
                one.received_at,
                one.supersedes,
                {} if one.kind in closed else open_if_sound(self.vault, one),
            )
            for one in received
        ]
        for message_id in (await unit.desk.own_thread(contact_point, thread))[-MOST_IN_THREAD:]:
            own = await unit.ledger.get(message_id)
            if own is not None:
                body = {} if own.kind in closed else self._own_body(own)
                versions.append(Version(own.id, own.sender, own.kind, own.sent, own.supersedes, body))
        return sorted(versions, key=lambda one: one.at)

    def _own_body(self, message: OutgoingMessage) -> Members:
        if message.body is None:
            return {}
        context = body_context(message.sender, message.sender, message.id)
        return strict_json.parse_object(self.vault.get(message.sender, message.body, context=context))

    async def _log(
        self, opened: Opened, contact_point: str, officer: str, why: Mapping[str, str], *, marks_read: bool
    ) -> None:
        now, message = self.clock.now(), opened.message
        entries = []
        if opened.body:
            detail = {"from": message.sender, **why}
            entries.append(AuditEntry(now, officer, "body.read", contact_point, message.id, detail))
        others = [one.id for one in opened.thread if one.body and one.id != message.id]
        if others:
            detail = {"messages": " ".join(others), **why}
            entries.append(AuditEntry(now, officer, "thread.read", contact_point, message.thread, detail))
        async with self.store.writing() as unit:
            if opened.item is not None and opened.body and marks_read:
                await unit.inbox.set_state(contact_point, message.id, "read", sender=message.sender)
            await unit.audit.add(entries)


def _unknown(item: ItemId) -> BadInputError:
    return BadInputError("E_UNKNOWN_MESSAGE", f"no message {item[1]} from {item[0]} at this contact point")
