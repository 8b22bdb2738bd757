"""The contact point's use case: verify to the end, open, store, answer with a signed receipt.

Four steps: judge (steps 1 to 12) and open (15 to 17) before the transaction; look up, decide (13) and store within it,
because what is known must not change between looking and storing. Where a membership list came, it is decided once more
before, about that list alone. Nothing is acknowledged to the broker before that
transaction has committed. A crash after the commit delivers the message once more, and step 13 absorbs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bridge.app.no_gap.hearing import HeardPeers
from bridge.app.receiving.authenticating import Authenticator, Judged
from bridge.app.receiving.deciding import (
    Decision,
    Opened,
    ProvenControl,
    Verdict,
    decide,
    sealed_message_of,
    threads_to_judge,
)
from bridge.app.receiving.giving_way import let_others_run
from bridge.app.receiving.outcomes import Outcome
from bridge.app.receiving.refusing import Replayed
from bridge.app.receiving.storing_received import StoreReceived
from bridge.app.receiving.taking_lists import bring_lists, take_lists
from bridge.core.errors import VerificationError
from bridge.core.verification import Authenticated, AuthenticatedRefusal, VerifiedMessage, open_message
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.trust import TrustSource
from bridge.ports.vault import BodyVault


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
    heard: HeardPeers = field(default_factory=HeardPeers)

    async def receive(
        self, batch: Sequence[Delivery], *, held: Sequence[str] = (), replayed: Replayed | None = None
    ) -> list[Outcome]:
        """Judges and stores a batch; when it returns, every delivery may be acknowledged to the broker.

        Args:
            batch: the deliveries; verdicts come in their order.
            held: when the batch was held here before and is judged again: the refusals' ids, one per delivery. What is
                still held stays where it is, what found its verdict leaves in the same transaction.
            replayed: when the batch comes out of quarantine. What is refused again stays there, everything else leaves
                in the same transaction.

        Raises:
            UnavailableError: the database cannot be reached; nothing of the batch may be acknowledged.
        """
        judged, verdicts = await self._judge(batch)
        if bring_lists(verdicts):
            async with self.store.reading() as unit:
                decisions = await self._decide(unit, judged, verdicts, self.clock.now())
            if await take_lists(self.trust, decisions):
                judged, verdicts = await self._judge(batch)
        async with self.store.writing() as unit:
            await unit.inbox.begin_receiving(self.desk.id)
            now = self.clock.now()
            decisions = await self._decide(unit, judged, verdicts, now)
            storing = StoreReceived(unit, self.desk, self.trust, self.vault, self.ids, now, replayed)
            outcomes = await storing.store([item.delivery for item in judged], decisions, held=held)
            heard = self.heard.news([item.verdict for item in judged if isinstance(item.verdict, Authenticated)], now)
            if heard:
                await unit.peers.hear(self.desk.id, heard)
        self.heard.wrote(heard)
        return outcomes

    async def _decide(
        self, unit: UnitOfWork, judged: Sequence[Judged], verdicts: Sequence[Verdict], now: datetime
    ) -> Sequence[Decision]:
        """What is to become of each, by what is known at this moment."""
        sealed = [message for message in (sealed_message_of(item.verdict) for item in judged) if message is not None]
        keys, threads = [message.key_of_message for message in sealed], threads_to_judge(verdicts)
        replays = await unit.inbox.replays(self.desk.id, keys) if keys else {}
        originators = await unit.inbox.originators(self.desk.id, threads) if threads else {}
        return decide(verdicts, replays=replays, originators=originators, now=now)

    async def _judge(self, batch: Sequence[Delivery]) -> tuple[Sequence[Judged], Sequence[Verdict]]:
        judged = await self.authenticator.judge(batch)
        verdicts = []
        for item in judged:
            verdicts.append(self._open(item))
            await let_others_run()
        return judged, verdicts

    def _open(self, item: Judged) -> Verdict:
        """Opens what is sealed; whether it is read is decided later, by step 13."""
        verdict = item.verdict
        if isinstance(verdict, VerificationError):
            return verdict
        if sealed_message_of(verdict) is None:
            return ProvenControl(verdict)
        return Opened(verdict, self._content(verdict))

    def _content(self, message: Authenticated) -> VerifiedMessage | AuthenticatedRefusal:
        try:
            return open_message(message, contact_point=self.desk.id, keys=self.desk.opening_keys)
        except AuthenticatedRefusal as refusal:
            return refusal
