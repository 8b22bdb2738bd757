"""Submitting an alert: validate, plan, seal, sign, and store everything in one transaction.

After `submit` has returned, the alert is in the outbox and will be published for as long as it takes. Nothing is
published from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.app.answering import outbox_row
from bridge.app.inbox_items import body_context
from bridge.app.make_message import Addressing, make_sealed
from bridge.core.directory import ContactPoint, Directory
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.ids import prefix_of
from bridge.core.messages import AlertFile, RouteAlertBody, acknowledge_within
from bridge.core.routing import RoutePlan, corridor_of, plan_answer, plan_route
from bridge.core.routing.plan import Exclusion
from bridge.core.times import to_milliseconds
from bridge.core.wire.payload import lane_of
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk, Seal
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import AuditEntry, OutgoingMessage, OutgoingRecipient
from bridge.ports.trust import TrustSource
from bridge.ports.vault import BodyVault

DEFAULT_LIFETIME: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is about to be sent, before it has an id: the answer of `prepare`, the input of `send`."""

    kind: str
    status: str
    urgency: str
    body: Mapping[str, object]
    plan: RoutePlan
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
class SubmitAlerts:
    """Submits for the contact points of one node."""

    desks: Mapping[str, Desk]
    seal: Seal
    store: Store
    trust: TrustSource
    vault: BodyVault
    clock: Clock
    ids: Ids

    async def prepare(self, alert: AlertFile, *, sender: str) -> Draft:
        """The draft with its route plan; writes nothing, so that a person can look before anything happens.

        Raises:
            RefusedError: `E_NOT_AUTHORISED`, `E_NOT_ORIGINATOR`, `E_UNKNOWN_MESSAGE`.
        """
        directory = self.trust.current()
        self._may_send(directory, sender, alert.kind, alert.status)
        async with self.store.reading() as unit:
            earlier = await self._superseded(unit, alert, sender)
        plan = self._plan(alert, directory, sender, earlier)
        return Draft(
            kind=alert.kind,
            status=alert.status,
            urgency=alert.urgency,
            body=alert.body_members(),
            plan=plan,
            expires=alert.expires,
            thread=earlier.thread if earlier else alert.thread,
            supersedes=earlier.id if earlier else None,
            references=(_reference(earlier),) if earlier else (),
        )

    async def send(self, draft: Draft, *, sender: str, partial: bool = False) -> Submitted:
        """Makes the message and stores it with its recipients and outbox rows.

        Raises:
            RefusedError: `E_UNREACHABLE_COUNTRY` without `partial`, `E_NO_RECIPIENT`, or what making it refuses.
            BadInputError: `E_EXPIRES`, when the draft's expiry is past.
        """
        plan = draft.plan
        if plan.unreachable and not partial:
            raise RefusedError("E_UNREACHABLE_COUNTRY", _unreachable_sentence(plan))
        if not plan.recipients:
            raise RefusedError("E_NO_RECIPIENT", "nobody would receive this: " + _exclusions(plan.excluded))
        now, directory, desk = to_milliseconds(self.clock.now()), self.trust.current(), self._desk(sender)
        expires = draft.expires or now + DEFAULT_LIFETIME
        if expires <= now:
            raise BadInputError("E_EXPIRES", "$.expires: expected a time in the future", path="$.expires")
        reply_within = acknowledge_within(draft.kind, draft.urgency)
        addressing = Addressing(
            id=self.ids.new(now),
            kind=draft.kind,
            status=draft.status,
            urgency=draft.urgency,
            sender=sender,
            to=tuple(recipient.id for recipient in plan.recipients),
            sent=now,
            expires=expires,
            reply_within_s=int(reply_within.total_seconds()) if reply_within else None,
        )
        thread = draft.thread or addressing.id
        lane = lane_of(draft.urgency)
        body = {**draft.body, "thread": thread, "references": [dict(item) for item in draft.references]}
        async with self.store.writing() as unit:
            epoch, numbers = await unit.ledger.next_numbers(sender, addressing.to, lane=lane)
            made = make_sealed(
                addressing,
                body=body,
                numbers=numbers,
                epoch=epoch,
                directory=directory,
                signer=desk.signer,
                seal=self.seal,
            )
            at_rest = self.vault.put(sender, made.plaintext_bytes, context=body_context(sender, addressing.id))
            await unit.ledger.add(
                OutgoingMessage(
                    id=addressing.id,
                    sender=sender,
                    kind=draft.kind,
                    status=draft.status,
                    urgency=draft.urgency,
                    lane=lane,
                    thread=thread,
                    sent=now,
                    expires=expires,
                    payload_sha256=made.payload_sha256,
                    sealed_sha256=made.sealed_sha256,
                    wire_bytes=made.wire_bytes,
                    body=at_rest,
                    recipients=tuple(
                        OutgoingRecipient(item.id, item.country, item.roles, item.rule, item.reason)
                        for item in plan.recipients
                    ),
                    supersedes=draft.supersedes,
                )
            )
            destinations = sorted({prefix_of(to) for to in addressing.to})
            await unit.outbox.add(
                [outbox_row(addressing, made.wire_bytes, country=to, lane=lane, ids=self.ids) for to in destinations]
            )
            detail = {"kind": draft.kind, "to": ",".join(addressing.to)}
            await unit.audit.add([AuditEntry(now, sender, "message.submitted", sender, addressing.id, detail)])
        return Submitted(addressing.id, thread, addressing.to, made.payload_sha256)

    def plan_for_answer(self, recipient: str, *, kind: str, status: str, sender: str) -> RoutePlan:
        """The plan for an answer to one contact point; refuses what the sender may not send."""
        directory = self.trust.current()
        self._may_send(directory, sender, kind, status)
        return plan_answer(recipient, directory, kind=kind, status=status, sender=sender, at=self.clock.now())

    def _plan(
        self, alert: AlertFile, directory: Directory, sender: str, earlier: OutgoingMessage | None
    ) -> RoutePlan:
        before = tuple(recipient.id for recipient in earlier.recipients) if earlier else ()
        body = alert.body
        corridor = corridor_of(body if isinstance(body, RouteAlertBody) else None)
        return plan_route(
            corridor,
            directory,
            kind=alert.kind,
            status=alert.status,
            sender=sender,
            at=self.clock.now(),
            earlier=before,
        )

    async def _superseded(self, unit: UnitOfWork, alert: AlertFile, sender: str) -> OutgoingMessage | None:
        if alert.supersedes is None:
            return None
        earlier = await unit.ledger.get(alert.supersedes)
        if earlier is None:
            message = f"$.supersedes: no message {alert.supersedes} was sent from this node"
            raise RefusedError("E_UNKNOWN_MESSAGE", message, path="$.supersedes")
        if earlier.sender != sender:
            message = f"{alert.supersedes} was sent by {earlier.sender}; only the originator updates or cancels it"
            raise RefusedError("E_NOT_ORIGINATOR", message, path="$.supersedes")
        return earlier

    def _may_send(self, directory: Directory, sender: str, kind: str, status: str) -> ContactPoint:
        point = directory.contact_points.get(sender)
        if point is None:
            raise RefusedError("E_NOT_AUTHORISED", f"{sender} is not in membership list {directory.version}")
        if point.suspended is not None or kind not in point.sends or status not in point.statuses:
            raise RefusedError("E_NOT_AUTHORISED", f"the membership list does not let {sender} send {status} {kind}")
        return point

    def _desk(self, sender: str) -> Desk:
        desk = self.desks.get(sender)
        if desk is None:
            raise BadInputError("E_FROM", f"--from: {sender} is not hosted here; expected {' or '.join(self.desks)}")
        return desk


def _reference(message: OutgoingMessage) -> Mapping[str, str]:
    return {"from": message.sender, "id": message.id, "payload_sha256": message.payload_sha256}


def _unreachable_sentence(plan: RoutePlan) -> str:
    countries = ", ".join(plan.unreachable)
    why = _exclusions(plan.excluded)
    return f"no contact point can receive this in {countries}{': ' + why if why else ''}; --partial sends it to the rest"


def _exclusions(excluded: tuple[Exclusion, ...]) -> str:
    return "; ".join(f"{item.id} {item.reason}" for item in excluded)
