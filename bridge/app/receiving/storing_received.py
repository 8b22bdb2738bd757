"""What was decided about a batch becomes true: everything in the one transaction that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.app.keys.choosing import signer_if_any
from bridge.app.receiving.accept_control import AcceptControl, DeliveredControl
from bridge.app.receiving.answering import Answering, receipt_row
from bridge.app.receiving.deciding import DELIVERED, Decision
from bridge.app.receiving.inbox_items import body_context, expired_stub, received_item
from bridge.app.receiving.outcomes import Outcome
from bridge.app.receiving.refusing import Replayed, keep_refusals, refusal_of, refused_entry
from bridge.app.receiving.unchecked import unchecked_entries
from bridge.core.messages import AcknowledgementBody
from bridge.core.verification import Authenticated, VerifiedMessage
from bridge.core.wire.payload import SealedPayload
from bridge.ports.broker import Delivery
from bridge.ports.clock import Ids
from bridge.ports.keys import Desk
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import AuditEntry, InboxItem, OutboxRow, Refusal, SequenceUse
from bridge.ports.trust import TrustSource
from bridge.ports.vault import BodyVault


@dataclass(frozen=True, slots=True)
class StoreReceived:
    """Stores for one contact point, as of one moment."""

    unit: UnitOfWork
    desk: Desk
    trust: TrustSource
    vault: BodyVault
    ids: Ids
    now: datetime
    replayed: Replayed | None = None  # the batch comes out of quarantine

    async def store(
        self, deliveries: Sequence[Delivery], decisions: Sequence[Decision], *, held: Sequence[str]
    ) -> list[Outcome]:
        """Stores a batch; answers what really became of each delivery.

        Args:
            deliveries: the batch.
            decisions: one per delivery.
            held: the ids under which the batch was held here before, one per delivery, or none.
        """
        await self._add_items(decisions)
        await self._remember(decisions)
        await self._use_numbers(decisions)
        await self._mark_acknowledged([one.item for one in decisions if isinstance(one.item, VerifiedMessage)])
        refusals = [self._refusal(*pair) for pair in zip(deliveries, decisions, strict=True)]
        await self._accept_control(deliveries, decisions, refusals)
        owed = [one.answer for one in decisions if one.answer is not None]
        if owed:
            by = self._answering()
            await self.unit.outbox.add([self._receipt(*answer, by) for answer in owed])
        overflowed = await self._keep_refusals(refusals, held)
        received = [self._received(one.item) for one in decisions if isinstance(one.item, VerifiedMessage)]
        await self._log([*received, *unchecked_entries(received, self.trust.current(), now=self.now)])
        return [_outcome(*pair, overflowed) for pair in zip(decisions, refusals, strict=True)]

    async def _add_items(self, decisions: Sequence[Decision]) -> None:
        items = [self._item(one.item) for one in decisions if one.item is not None]
        if items:
            await self.unit.inbox.add(items)

    def _item(self, item: VerifiedMessage | Authenticated) -> InboxItem:
        own = self.desk.id
        if isinstance(item, Authenticated):
            return expired_stub(item, contact_point=own, at=self.now)
        context = body_context(own, item.payload.sender, item.payload.id)
        body = self.vault.put(own, item.plaintext_bytes, context=context)
        return received_item(item, contact_point=own, at=self.now, body=body)

    async def _remember(self, decisions: Sequence[Decision]) -> None:
        replays = dict(one.replay for one in decisions if one.replay is not None)
        if replays:
            await self.unit.inbox.remember(self.desk.id, replays)

    async def _use_numbers(self, decisions: Sequence[Decision]) -> None:
        uses = [self._use(one.numbered) for one in decisions if one.numbered is not None]
        reused = await self.unit.inbox.use_numbers([use for use in uses if use is not None], self.now) if uses else ()
        await self._log(
            [
                self._entry(
                    "sequence.number_reused",
                    use.message_id,
                    {"from": use.sender, "number": str(use.number), "lane": use.lane},
                )
                for use in reused
            ]
        )

    def _use(self, message: Authenticated) -> SequenceUse | None:
        """The number towards this contact point; a message that is not for us has none."""
        payload = message.payload
        if not isinstance(payload, SealedPayload) or self.desk.id not in payload.seq.n:
            return None
        return SequenceUse(
            recipient=self.desk.id,
            sender=payload.sender,
            epoch=payload.seq.epoch,
            lane=payload.lane,
            number=payload.seq.n[self.desk.id],
            message_id=payload.id,
        )

    async def _mark_acknowledged(self, received: Sequence[VerifiedMessage]) -> None:
        """Moves the ledger on for answers to what this contact point really sent there; others stay messages only."""
        answers = [(one.payload, one.body.known) for one in received]
        acknowledged = [(payload, known) for payload, known in answers if isinstance(known, AcknowledgementBody)]
        if not acknowledged:
            return
        keys = [(known.of.id, payload.sender) for payload, known in acknowledged]
        sent = await self.unit.ledger.digests_sent(keys, sender=self.desk.id)
        unmatched = []
        for payload, known in acknowledged:
            of, by = known.of, payload.sender
            digests = sent.get((of.id, by))
            if digests is not None and digests[0] == of.payload_sha256:
                await self.unit.ledger.mark_acknowledged(of.id, by, level=known.level, at=self.now)
            else:
                unmatched.append(self._entry("acknowledgement.unmatched", payload.id, {"from": by, "of": of.id}))
        await self._log(unmatched)

    async def _accept_control(
        self, deliveries: Sequence[Delivery], decisions: Sequence[Decision], refusals: list[Refusal | None]
    ) -> None:
        """Holds control messages against the ledger; puts the refusals among those of the batch."""
        control = {
            index: DeliveredControl(delivery, decision.control)
            for index, (delivery, decision) in enumerate(zip(deliveries, decisions, strict=True))
            if decision.control is not None
        }
        if not control:
            return
        accepting = AcceptControl(self.unit, self.desk, self.trust.current(), self.now, self.ids)
        answers = await accepting.accept(list(control.values()))
        for index, refusal in zip(control, answers, strict=True):
            refusals[index] = refusal

    def _refusal(self, delivery: Delivery, decision: Decision) -> Refusal | None:
        if decision.refusal is None:
            return None
        return refusal_of(delivery, decision.refusal, contact_point=self.desk.id, at=self.now, ids=self.ids)

    def _answering(self) -> Answering:
        directory = self.trust.current()
        signer = signer_if_any(self.desk, directory, at=self.now)
        return Answering(self.desk.id, signer, directory, self.now, self.ids)

    def _receipt(self, message: Authenticated, outcome: str, by: Answering) -> OutboxRow:
        code = None if outcome == DELIVERED else outcome
        return receipt_row(message, code=code, by=by)

    async def _keep_refusals(self, refusals: Sequence[Refusal | None], held: Sequence[str]) -> frozenset[str]:
        kept = await keep_refusals(self.unit, refusals, held=held, replayed=self.replayed)
        new = [one for one in refusals if one is not None and one.id in kept.quarantined]
        await self._log([refused_entry(one, contact_point=self.desk.id, at=self.now) for one in new])
        return kept.overflowed

    def _received(self, item: VerifiedMessage) -> AuditEntry:
        payload = item.payload
        return self._entry("message.received", payload.id, {"from": payload.sender, "kind": payload.kind})

    def _entry(self, action: str, subject: str, detail: dict[str, str]) -> AuditEntry:
        return AuditEntry(self.now, self.desk.id, action, self.desk.id, subject, detail)

    async def _log(self, entries: Sequence[AuditEntry]) -> None:
        if entries:
            await self.unit.audit.add(entries)


def _outcome(decision: Decision, refusal: Refusal | None, overflowed: frozenset[str]) -> Outcome:
    if refusal is None:
        return decision.outcome
    is_held = decision.outcome is Outcome.HELD and refusal.id not in overflowed
    return Outcome.HELD if is_held else Outcome.QUARANTINED
