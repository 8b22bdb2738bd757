"""The contact point's use case: verify to the end, open, store, answer with a signed receipt; all in one transaction.

Nothing is acknowledged to the broker before that transaction has committed. A crash after the commit delivers the
message once more, and step 13 absorbs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bridge.app.accept_control import ProvenControl, accept_control
from bridge.app.answering import receipt_row
from bridge.app.authenticating import Authenticator, Judged
from bridge.app.inbox_items import body_context, expired_stub, received_item
from bridge.app.outcomes import Outcome
from bridge.app.refusing import is_held, keep_refusals, refusal_of
from bridge.core.errors import VerificationError
from bridge.core.messages import AcknowledgementBody, Reference
from bridge.core.verification import (
    Authenticated,
    AuthenticatedRefusal,
    ReplayVerdict,
    VerifiedMessage,
    check_originator,
    judge_replay,
    open_message,
)
from bridge.core.wire.payload import SealedPayload
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import MessageKey, Store, UnitOfWork
from bridge.ports.store.records import AuditEntry, InboxItem, OutboxRow, Refusal, Replay, SequenceUse
from bridge.ports.trust import TrustSource
from bridge.ports.vault import BodyVault

ANSWER_AGAIN_AFTER: Final = timedelta(minutes=1)
DELIVERED: Final = "delivered"
LAST_STEP_WITHOUT_NUMBER: Final = 9  # wire-format: every message past step 9 uses its number, refused or not

Known = dict[MessageKey, Replay]


@dataclass
class _Batch:
    """What one transaction will store, collected while the batch is judged."""

    holds_already: bool
    outcomes: list[Outcome] = field(default_factory=list)
    items: list[InboxItem] = field(default_factory=list)
    replays: Known = field(default_factory=dict)
    uses: list[SequenceUse] = field(default_factory=list)
    answers: list[OutboxRow] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    audit: list[AuditEntry] = field(default_factory=list)
    acknowledged: list[_Acknowledged] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Acknowledged:
    """An officer's answer to something that we may have sent."""

    answer: str
    of: Reference
    by: str
    level: str


@dataclass(frozen=True, slots=True)
class ReceiveMessages:
    """Receives for one contact point."""

    desk: Desk
    authenticator: Authenticator
    store: Store
    trust: TrustSource
    vault: BodyVault
    clock: Clock
    ids: Ids

    async def receive(self, batch: Sequence[Delivery], *, held: Sequence[str] = ()) -> list[Outcome]:
        """Judges and stores a batch; when it returns, every delivery may be acknowledged to the broker.

        Args:
            batch: the deliveries; verdicts come in their order.
            held: when the batch was held here before and is judged again: the refusals' ids, one per delivery. What is
                still held stays where it is, what found its verdict leaves in the same transaction.

        Raises:
            UnavailableError: the database cannot be reached; nothing of the batch may be acknowledged.
        """
        judged = await self.authenticator.judge(batch)
        collected = _Batch(holds_already=bool(held))
        async with self.store.writing() as unit:
            await unit.inbox.begin_receiving(self.desk.id)
            keys = [message.key_of_message for message in map(_proven, judged) if message is not None]
            known = dict(await unit.inbox.replays(self.desk.id, keys)) if keys else {}
            control: dict[int, ProvenControl] = {}
            for index, item in enumerate(judged):
                if isinstance(item.verdict, Authenticated) and item.verdict.envelope.is_control:
                    control[index] = ProvenControl(item.delivery, item.verdict)
                    collected.outcomes.append(Outcome.ACCEPTED)
                else:
                    await self._judge(unit, item, known, collected)
            if control:
                await self._accept_control(unit, control, collected)
            await self._store(unit, collected)
            if held:
                settled = zip(held, collected.outcomes, strict=True)
                await unit.refusals.drop_held([id_ for id_, outcome in settled if outcome is not Outcome.HELD])
        return collected.outcomes

    async def _accept_control(self, unit: UnitOfWork, control: dict[int, ProvenControl], collected: _Batch) -> None:
        now = self.clock.now()
        answers = await accept_control(unit, list(control.values()), contact_point=self.desk.id, now=now, ids=self.ids)
        for index, refusal in zip(control, answers, strict=True):
            if refusal is not None:
                collected.outcomes[index] = Outcome.QUARANTINED
                collected.refusals.append(refusal)
                collected.audit.append(self._refused(refusal))

    async def _judge(self, unit: UnitOfWork, item: Judged, known: Known, collected: _Batch) -> None:
        verdict = item.verdict
        try:
            if isinstance(verdict, VerificationError):
                raise verdict
            await self._accept(unit, verdict, known, collected)
        except VerificationError as error:
            self._refuse(item.delivery, error, known, collected)

    async def _accept(self, unit: UnitOfWork, message: Authenticated, known: Known, collected: _Batch) -> None:
        replay = known.get(message.key_of_message)
        verdict = judge_replay(message, known_digest=replay.payload_sha256 if replay else None)  # 13
        if verdict is ReplayVerdict.DUPLICATE and replay is not None and replay.outcome == DELIVERED:
            collected.outcomes.append(Outcome.DUPLICATE)
        else:
            verified = open_message(message, contact_point=self.desk.id, keys=self.desk.opening_keys)  # 15 to 17
            if verified.supersedes is not None:
                check_originator(verified, originator=await self._originator(unit, verified.body.thread, collected))
            self._add(verified, collected)
        self._use_number(message, collected)  # 14
        self._answer(message, DELIVERED, known, collected)

    async def _originator(self, unit: UnitOfWork, thread: str, collected: _Batch) -> str | None:
        await self._store_items(unit, collected)  # the thread may have begun within this batch
        return (await unit.inbox.originators(self.desk.id, [thread])).get(thread)

    def _add(self, verified: VerifiedMessage, collected: _Batch) -> None:
        now, payload, known = self.clock.now(), verified.payload, verified.body.known
        context = body_context(self.desk.id, payload.sender, payload.id)
        body = self.vault.put(self.desk.id, verified.plaintext_bytes, context=context)
        collected.items.append(received_item(verified, contact_point=self.desk.id, at=now, body=body))
        if isinstance(known, AcknowledgementBody):
            collected.acknowledged.append(_Acknowledged(payload.id, known.of, payload.sender, known.level))
        collected.audit.append(
            self._audit("message.received", payload.id, {"from": payload.sender, "kind": payload.kind})
        )
        collected.outcomes.append(Outcome.ACCEPTED)

    def _refuse(self, delivery: Delivery, error: VerificationError, known: Known, collected: _Batch) -> None:
        now = self.clock.now()
        refusal = refusal_of(delivery, error, contact_point=self.desk.id, at=now, ids=self.ids)
        if is_held(error):
            collected.outcomes.append(Outcome.HELD)
            if not collected.holds_already:
                collected.refusals.append(refusal)
            return
        collected.outcomes.append(Outcome.QUARANTINED)
        collected.refusals.append(refusal)
        collected.audit.append(self._refused(refusal))
        if isinstance(error, AuthenticatedRefusal) and isinstance(error.proven.payload, SealedPayload):
            if error.step > LAST_STEP_WITHOUT_NUMBER:
                self._use_number(error.proven, collected)
            before = known.get(error.proven.key_of_message)
            if error.code == "E_EXPIRED" and (before is None or before.outcome != DELIVERED):
                stub = expired_stub(error.proven, error.proven.payload, contact_point=self.desk.id, at=now)
                collected.items.append(stub)
            self._answer(error.proven, error.code, known, collected)

    def _use_number(self, message: Authenticated, collected: _Batch) -> None:
        payload = message.payload
        if isinstance(payload, SealedPayload) and self.desk.id in payload.seq.n:
            collected.uses.append(
                SequenceUse(
                    recipient=self.desk.id,
                    sender=payload.sender,
                    epoch=payload.seq.epoch,
                    lane=payload.lane,
                    number=payload.seq.n[self.desk.id],
                    message_id=payload.id,
                )
            )

    def _answer(self, message: Authenticated, outcome: str, known: Known, collected: _Batch) -> None:
        """Owes the sender a receipt: at once for a new verdict, at most once a minute for a repeated one.

        What is stored here stays delivered, whatever is wrong with a copy of it that comes later.
        """
        now, key = self.clock.now(), message.key_of_message
        before = known.get(key)
        is_known = before is not None and before.payload_sha256 == message.payload_sha256
        if before is not None and is_known:
            outcome = DELIVERED if before.outcome == DELIVERED else outcome
            if before.outcome == outcome and timedelta(0) <= now - before.answered_at < ANSWER_AGAIN_AFTER:
                return
        code = None if outcome == DELIVERED else outcome
        directory = self.trust.current()
        row = receipt_row(message, code=code, desk=self.desk, directory=directory, now=now, ids=self.ids)
        collected.answers.append(row)
        if before is None or is_known:
            known[key] = collected.replays[key] = Replay(message.payload_sha256, outcome, now)

    async def _store(self, unit: UnitOfWork, collected: _Batch) -> None:
        now = self.clock.now()
        await self._store_items(unit, collected)
        if collected.replays:
            await unit.inbox.remember(self.desk.id, collected.replays)
        if collected.uses:
            for use in await unit.inbox.use_numbers(collected.uses, now):
                detail = {"from": use.sender, "number": str(use.number), "lane": use.lane}
                collected.audit.append(self._audit("sequence.number_reused", use.message_id, detail))
        if collected.acknowledged:
            await self._mark_acknowledged(unit, collected)
        if collected.refusals:
            await keep_refusals(unit, collected.refusals)
        if collected.answers:
            await unit.outbox.add(collected.answers)
        if collected.audit:
            await unit.audit.add(collected.audit)

    async def _store_items(self, unit: UnitOfWork, collected: _Batch) -> None:
        if collected.items:
            await unit.inbox.add(collected.items)
            collected.items = []

    async def _mark_acknowledged(self, unit: UnitOfWork, collected: _Batch) -> None:
        """Moves the ledger on for answers to what this contact point really sent there; others stay messages only."""
        answered = [(item.of.id, item.by) for item in collected.acknowledged]
        sent = await unit.ledger.digests_sent(answered, sender=self.desk.id)
        now = self.clock.now()
        for item in collected.acknowledged:
            digests = sent.get((item.of.id, item.by))
            if digests is not None and digests[0] == item.of.payload_sha256:
                await unit.ledger.mark_acknowledged(item.of.id, item.by, level=item.level, at=now)
            else:
                detail = {"from": item.by, "of": item.of.id}
                collected.audit.append(self._audit("acknowledgement.unmatched", item.answer, detail))

    def _refused(self, refusal: Refusal) -> AuditEntry:
        return self._audit("message.refused", refusal.id, {"code": refusal.code, "step": str(refusal.step)})

    def _audit(self, action: str, subject: str, detail: dict[str, str]) -> AuditEntry:
        return AuditEntry(self.clock.now(), self.desk.id, action, self.desk.id, subject, detail)


def _proven(item: Judged) -> Authenticated | None:
    """The sealed message whose signer is proven, refused or not; control messages are not remembered."""
    verdict = item.verdict.proven if isinstance(item.verdict, AuthenticatedRefusal) else item.verdict
    return verdict if isinstance(verdict, Authenticated) and not verdict.envelope.is_control else None
