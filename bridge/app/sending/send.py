"""Sending a draft: number, seal, sign, and store everything in one transaction.

After it has committed, the message is in the outbox and will be published for as long as it takes. Nothing is
published from here. Sender, keys, recipients and body are held once more against the membership list and the schema
before the body is sealed: what leaves is what a receiver accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.app.keys.choosing import signer_of
from bridge.app.receiving.answering import outbox_row
from bridge.app.receiving.inbox_items import body_context
from bridge.app.sending.make_message import Addressing, make_sealed
from bridge.app.sending.may_send import check_list_age, check_may_send, check_recipients
from bridge.core.countries import country_label
from bridge.core.directory import Directory
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.ids import prefix_of
from bridge.core.messages import acknowledge_within, read_body, schema_urn_of
from bridge.core.privacy import Finding
from bridge.core.routing import Exclusion, RoutePlan
from bridge.core.times import to_milliseconds
from bridge.core.verification import MAX_LIFETIME
from bridge.core.wire.payload import lane_of
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk, Seal
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import AuditEntry, OutgoingMessage, OutgoingRecipient
from bridge.ports.trust import TrustSource
from bridge.ports.vault import BodyVault

DEFAULT_LIFETIME: Final = timedelta(days=7)
_ANY_SALT: Final = "A" * 43


@dataclass(frozen=True, slots=True)
class Draft:
    """What is about to be sent, before it has an id.

    Attributes:
        body: the wire body without salt, thread and references.
        plan: who receives it, who does not, and which countries cannot be reached.
        findings: places that look like personal data, for an officer to confirm or remove.
        expires: until when it is worth delivering; seven days when `None`.
        thread: the id of the thread's first message; its own when `None`.
        supersedes: the id of the earlier version that this replaces.
    """

    kind: str
    status: str
    urgency: str
    body: Mapping[str, object] = field(repr=False)
    plan: RoutePlan
    findings: tuple[Finding, ...] = ()
    expires: datetime | None = None
    thread: str | None = None
    supersedes: str | None = None
    references: tuple[Mapping[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Submitted:
    """What was stored: the message's id, its thread, who it goes to, and its digest."""

    id: str
    thread: str
    recipients: tuple[str, ...]
    payload_sha256: str


@dataclass(frozen=True, slots=True)
class SendMessages:
    """Sends for the contact points of one node."""

    desks: Mapping[str, Desk]
    seal: Seal
    store: Store
    trust: TrustSource
    vault: BodyVault
    clock: Clock
    ids: Ids

    async def send(self, draft: Draft, *, sender: str, by: str | None = None, partial: bool = False) -> Submitted:
        """Sends in a transaction of its own; see `send_in`."""
        async with self.store.writing() as unit:
            return await self.send_in(unit, draft, sender=sender, by=by, partial=partial)

    async def send_in(
        self, unit: UnitOfWork, draft: Draft, *, sender: str, by: str | None = None, partial: bool = False
    ) -> Submitted:
        """Makes the message and stores it with its recipients and outbox rows, in the caller's transaction.

        The log names `by` as who submitted it, and the sending contact point where nobody is named. Of two that replace
        one version the second is refused, whoever sends them and by whatever way: they wait for each other's
        transaction.

        Raises:
            RefusedError: `E_SUPERSEDED`, the version that it replaces was replaced.
            RefusedError: `E_UNREACHABLE_COUNTRY` without `partial`, `E_NO_RECIPIENT`, what receivers would refuse
                (`bridge.app.sending.may_send`), `E_NO_SIGNING_KEY`, or what making it refuses.
            BadInputError: `E_EXPIRES`, or a problem of the finished body.
        """
        check_plan(draft.plan, partial=partial)
        if draft.supersedes is not None and draft.thread is not None:
            await unit.drafts.begin_sending(sender)
            await _check_newest(unit, draft.thread, draft.supersedes, sender=sender)
        desk, directory = self._desk(sender), self.trust.current()
        addressing = self._address(draft, sender)
        _check_by_list(directory, draft, addressing)
        signer = signer_of(desk, directory, at=addressing.sent)
        thread = draft.thread or addressing.id
        body = {"thread": thread, "references": [dict(item) for item in draft.references], **draft.body}
        _check_body(addressing, body)
        lane = lane_of(draft.urgency)
        epoch, numbers = await unit.ledger.next_numbers(sender, addressing.to, lane=lane)
        made = make_sealed(
            addressing,
            body=body,
            numbers=numbers,
            epoch=epoch,
            directory=directory,
            signer=signer,
            seal=self.seal,
        )
        await unit.ledger.add(
            OutgoingMessage(
                id=addressing.id,
                sender=sender,
                kind=draft.kind,
                status=draft.status,
                urgency=draft.urgency,
                lane=lane,
                thread=thread,
                sent=addressing.sent,
                expires=addressing.expires,
                payload_sha256=made.payload_sha256,
                sealed_sha256=made.sealed_sha256,
                wire_bytes=made.wire_bytes,
                body=self.vault.put(sender, made.plaintext_bytes, context=body_context(sender, sender, addressing.id)),
                recipients=tuple(
                    OutgoingRecipient(
                        item.id,
                        item.country,
                        item.roles,
                        item.rule,
                        item.reason,
                        epoch=epoch,
                        number=numbers[item.id],
                        reply_within_s=addressing.reply_within_s,
                    )
                    for item in draft.plan.recipients
                ),
                supersedes=draft.supersedes,
            )
        )
        destinations = sorted({prefix_of(to) for to in addressing.to})
        await unit.outbox.add(
            [outbox_row(addressing, made.wire_bytes, country=to, lane=lane, ids=self.ids) for to in destinations]
        )
        detail = {"kind": draft.kind, "to": ",".join(addressing.to)}
        entry = AuditEntry(addressing.sent, by or sender, "message.submitted", sender, addressing.id, detail)
        await unit.audit.add([entry])
        return Submitted(addressing.id, thread, addressing.to, made.payload_sha256)

    def _address(self, draft: Draft, sender: str) -> Addressing:
        now = to_milliseconds(self.clock.now())
        expires = draft.expires or now + DEFAULT_LIFETIME
        if not now < expires <= now + MAX_LIFETIME:
            message = "$.expires: expected a time in the future, at most 30 days ahead"
            raise BadInputError("E_EXPIRES", message, path="$.expires")
        reply_within = acknowledge_within(draft.kind, draft.urgency)
        return Addressing(
            id=self.ids.new(now),
            kind=draft.kind,
            status=draft.status,
            urgency=draft.urgency,
            sender=sender,
            to=tuple(sorted(recipient.id for recipient in draft.plan.recipients)),
            sent=now,
            expires=expires,
            reply_within_s=int(reply_within.total_seconds()) if reply_within else None,
        )

    def _desk(self, sender: str) -> Desk:
        desk = self.desks.get(sender)
        if desk is None:
            raise BadInputError("E_FROM", f"--from: {sender} is not hosted here; expected {' or '.join(self.desks)}")
        return desk


def check_plan(plan: RoutePlan, *, partial: bool) -> None:
    """Refuses a plan that leaves out a country (`E_UNREACHABLE_COUNTRY`, unless `partial`) or reaches nobody."""
    if plan.unreachable and not partial:
        countries = ", ".join(country_label(code) for code in plan.unreachable)
        why = _exclusions(plan.excluded)
        sentence = f"no contact point can receive this in {countries}{': ' + why if why else ''}"
        raise RefusedError("E_UNREACHABLE_COUNTRY", sentence + "; --partial sends it to the rest")
    if not plan.recipients:
        raise RefusedError(
            "E_NO_RECIPIENT", f"nobody would receive this{': ' if plan.excluded else ''}{_exclusions(plan.excluded)}"
        )


async def _check_newest(unit: UnitOfWork, thread: str, supersedes: str, *, sender: str) -> None:
    newest = (await unit.sent_alerts.versions(thread, sender=sender))[-1]
    if newest.id != supersedes:
        sentence = f"{supersedes} was replaced by {newest.kind} {newest.id} meanwhile; begin from that version"
        raise RefusedError("E_SUPERSEDED", sentence, path="$.supersedes")


def _check_by_list(directory: Directory, draft: Draft, addressing: Addressing) -> None:
    kind, status, sender, at = draft.kind, draft.status, addressing.sender, addressing.sent
    check_list_age(directory, at=at)
    check_may_send(directory, sender, kind, status)
    check_recipients(draft.plan, directory, kind=kind, status=status, sender=sender, at=at)


def _check_body(addressing: Addressing, body: Mapping[str, object]) -> None:
    members = {"salt": _ANY_SALT, **body}
    read = read_body(
        addressing.kind, schema_urn_of(addressing.kind), members, sent=addressing.sent, status=addressing.status
    )
    if isinstance(read, tuple):
        raise BadInputError.of(read)


def _exclusions(excluded: tuple[Exclusion, ...]) -> str:
    return "; ".join(f"{item.id} {item.reason}" for item in excluded)
