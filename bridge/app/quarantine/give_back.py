"""Tells the sender of something in quarantine, signed and by hand, that it was refused, and with which code.

Only what is proven is returned: whoever refused it had reached step 9 or more, and the bytes prove again, now, by
today's list, who signed them and to whom they are addressed. Nothing that was stored about an entry is believed but its
code. The report, the note that it was returned and the audit entry become true in one transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.app.keys.choosing import signer_of
from bridge.app.quarantine.picking import CAME_WITHOUT_BYTES, Done, Fate, Progress, is_gone
from bridge.app.receiving.answering import Answering, receipt_row
from bridge.app.receiving.deciding import DELIVERED, sealed_message_of
from bridge.core.errors import RefusedError, VerificationError
from bridge.core.times import format_time
from bridge.core.verification import (
    SENDER_STEP,
    Authenticated,
    AuthenticatedRefusal,
    Receiver,
    SignatureCheck,
    authenticate,
)
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import AuditEntry, OutboxRow, Quarantined, Replay
from bridge.ports.trust import TrustSource

RETURN_AGAIN_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ReturnQuarantine:
    """Returns for the contact points of one node; `desks` are those that are hosted, with their signing keys."""

    prefix: str
    desks: Mapping[str, Desk]
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids
    is_signature: SignatureCheck

    async def give_back(self, items: Sequence[Quarantined], *, actor: str, progress: Progress) -> Sequence[Done]:
        """Returns each to its sender, one by one; answers what became of each, in the items' order.

        Raises:
            UnavailableError: the database cannot be reached, or no membership list was ever verified.
        """
        done = []
        for item in items:
            try:
                done.append(await self._return(item, actor))
            except RefusedError as error:
                done.append(Done(item.id, Fate.IMPOSSIBLE, error.code, error.message))
            progress(1)
        return done

    async def _return(self, item: Quarantined, actor: str) -> Done:
        async with self.store.reading() as unit:
            whole = await unit.refusals.get(item.id)
        if whole is None:
            return is_gone(item)
        message = self._proven(whole)
        desks = self._answering(whole, message)
        async with self.store.writing() as unit:
            for desk in desks:
                await unit.inbox.begin_receiving(desk.id)
            return await self._answer(unit, whole, message, desks=desks, actor=actor)

    def _proven(self, item: Quarantined) -> Authenticated:
        """The message, whose sender these bytes prove: steps 1 to 9, without the unsigned properties.

        Raises:
            RefusedError: `E_NO_BYTES`, `E_NOT_PROVEN`.
        """
        if item.wire_bytes is None:
            raise RefusedError("E_NO_BYTES", f"{CAME_WITHOUT_BYTES}; nothing proves who sent it")
        if item.step < SENDER_STEP:
            sentence = f"refused at step {item.step}, before anything proves who sent it: there is nobody to tell"
            raise RefusedError("E_NOT_PROVEN", sentence)
        try:
            message = authenticate(
                item.wire_bytes,
                trust=self.trust.view(),
                receiver=Receiver(self.prefix, item.contact_point),
                now=self.clock.now(),
                hints=None,
                is_signature=self.is_signature,
            )
        except AuthenticatedRefusal as refusal:
            if refusal.step > SENDER_STEP:
                return refusal.proven
            raise _not_proven(refusal) from None
        except VerificationError as error:
            raise _not_proven(error) from None
        return message

    def _answering(self, item: Quarantined, message: Authenticated) -> Sequence[Desk]:
        """The contact points that answer: who refused it, or, for the router, those of ours that are addressed.

        Raises:
            RefusedError: `E_CONTACT_POINT`, `E_NOT_RECIPIENT`, `E_RECEIPT` for what is never answered.
        """
        if sealed_message_of(message) is None:
            raise RefusedError("E_RECEIPT", "a message from machine to machine is never answered")
        if item.contact_point is not None and item.contact_point not in self.desks:
            raise RefusedError("E_CONTACT_POINT", f"{item.contact_point} is not hosted here, and only it may answer")
        holders = self.desks if item.contact_point is None else [item.contact_point]
        addressed = [self.desks[holder] for holder in sorted(holders) if holder in message.payload.to]
        if not addressed:
            who = item.contact_point or "a contact point of this node"
            raise RefusedError("E_NOT_RECIPIENT", f"it is not addressed to {who}: its sender expects no answer from it")
        return addressed

    async def _answer(
        self, unit: UnitOfWork, item: Quarantined, message: Authenticated, *, desks: Sequence[Desk], actor: str
    ) -> Done:
        found = await unit.refusals.pick(ids=[item.id])
        if not found:
            return is_gone(item)
        now, code = self.clock.now(), found[0].code
        _check_not_lately(found[0].returned_at, now)
        rows: list[OutboxRow] = []
        for desk in desks:
            key = message.key_of_message
            before = (await unit.inbox.replays(desk.id, [key])).get(key)
            if before is not None and before.payload_sha256 == message.payload_sha256 and before.outcome == DELIVERED:
                continue
            await unit.inbox.remember(desk.id, {key: _answered(before, message, code, now)})
            directory = self.trust.current()
            by = Answering(desk.id, signer_of(desk, directory, at=now), directory, now, self.ids)
            rows.append(receipt_row(message, code=code, by=by))
        if not rows:
            sentence = "the message itself was delivered here; only this copy of it was refused"
            raise RefusedError("E_DELIVERED", sentence)
        await unit.outbox.add(rows)
        await unit.refusals.note_returned(item.id, at=now, receipt_id=rows[0].message_id)
        await unit.audit.add([_entry(row, item, message, code=code, actor=actor, at=now) for row in rows])
        return Done(item.id, Fate.RETURNED, code)


def _not_proven(error: VerificationError) -> RefusedError:
    sentence = f"its bytes do not prove who sent it: {error.code} at step {error.step}, {error.message}"
    return RefusedError("E_NOT_PROVEN", sentence)


def _check_not_lately(returned_at: datetime | None, now: datetime) -> None:
    """A moment after now was noted by a wrong clock, and keeps nobody from anything."""
    if returned_at is not None and timedelta(0) <= now - returned_at < RETURN_AGAIN_AFTER:
        sentence = f"it was returned at {format_time(returned_at)}; it can be returned again a minute later"
        raise RefusedError("E_RETURNED_LATELY", sentence)


def _answered(before: Replay | None, message: Authenticated, code: str, now: datetime) -> Replay:
    """What is known of the message once it is answered; what was known of another payload under its id stays."""
    if before is None:
        return Replay(message.payload_sha256, code, now)
    if before.payload_sha256 != message.payload_sha256:
        return replace(before, conflict_answered_at=now)
    return replace(before, outcome=code, answered_at=now)


def _entry(
    row: OutboxRow, item: Quarantined, message: Authenticated, *, code: str, actor: str, at: datetime
) -> AuditEntry:
    detail = {"code": code, "to": message.sender.id, "of": message.payload.id, "receipt": row.message_id}
    return AuditEntry(at, actor, "quarantine.returned", row.sender, item.id, detail)
