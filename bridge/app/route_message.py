"""The subscriber's use case: verify without opening, hand on to the contact points concerned.

It holds no private key, signs nothing and answers nothing. What it refuses goes to quarantine; what it cannot place (a
full or missing inbox) waits in its own outbox, so that one inbox never stalls a country.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.app.authenticating import Authenticator
from bridge.app.outcomes import Outcome
from bridge.app.refusing import is_held, keep_refusals, refusal_of
from bridge.core.errors import VerificationError
from bridge.core.ids import prefix_of
from bridge.core.verification import Authenticated, AuthenticatedRefusal
from bridge.ports.broker import Delivery, Publication, Publisher, PublishOutcome
from bridge.ports.clock import Clock, Ids
from bridge.ports.store import Store
from bridge.ports.store.records import OutboxRow, Refusal
from bridge.ports.trust import TrustSource

RELAY = "subscriber"


@dataclass(frozen=True, slots=True)
class RouteMessages:
    """Routes deliveries of one country's queues; `exchange` is the country's own `contact-points.<cc>`."""

    prefix: str
    exchange: str
    authenticator: Authenticator
    publisher: Publisher
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids

    async def route(self, batch: Sequence[Delivery], *, held: Sequence[str] = ()) -> list[Outcome]:
        """Every delivery is confirmed by the next queue or stored here when this returns.

        Args:
            batch: the deliveries; outcomes come in their order.
            held: when the batch was held here before and is judged again: the refusals' ids, one per delivery. What is
                still held stays where it is, what found its verdict leaves once it is safe elsewhere.

        Raises:
            UnavailableError: database or broker cannot be reached; nothing of the batch may be acknowledged.
        """
        judged = await self.authenticator.judge(batch)
        outcomes: list[Outcome] = []
        refusals: list[Refusal] = []
        onward: list[tuple[Publication, Authenticated]] = []
        for item in judged:
            verdict = _unless_only_expired(item.verdict)
            if isinstance(verdict, VerificationError):
                outcomes.append(Outcome.HELD if is_held(verdict) else Outcome.QUARANTINED)
                if not (held and is_held(verdict)):
                    refusals.append(self._refusal(item.delivery, verdict))
            else:
                addressed, unknown = self._own_recipients(verdict)
                onward += [(self._publication(verdict, to), verdict) for to in addressed]
                if unknown:
                    error = VerificationError(
                        11, "E_NOT_AUTHORISED", f"{', '.join(unknown)}: not in the membership list"
                    )
                    refusals.append(self._refusal(item.delivery, error))
                outcomes.append(Outcome.ACCEPTED)
        results = await self.publisher.publish([publication for publication, _ in onward]) if onward else []
        stuck = [
            self._stuck_row(publication, message, result)
            for (publication, message), result in zip(onward, results, strict=True)
            if result is not PublishOutcome.CONFIRMED
        ]
        settled = [id_ for id_, outcome in zip(held, outcomes, strict=bool(held)) if outcome is not Outcome.HELD]
        if stuck or refusals or settled:
            async with self.store.writing() as unit:
                if stuck:
                    await unit.outbox.add(stuck)
                await keep_refusals(unit, refusals)
                await unit.refusals.drop_held(settled)
        return outcomes

    def _own_recipients(self, message: Authenticated) -> tuple[list[str], list[str]]:
        known = self.trust.current().contact_points
        own = [to for to in message.payload.to if prefix_of(to) == self.prefix]
        return [to for to in own if to in known], [to for to in own if to not in known]

    def _publication(self, message: Authenticated, recipient: str) -> Publication:
        payload = message.payload
        return Publication(
            row_id=self.ids.new(self.clock.now()),
            exchange=self.exchange,
            routing_key=f"{recipient}.{payload.lane}",
            wire_bytes=message.wire_bytes,
            kind=payload.kind,
            sender=payload.sender,
            message_id=payload.id,
            sent=payload.sent,
        )

    def _stuck_row(self, publication: Publication, message: Authenticated, result: PublishOutcome) -> OutboxRow:
        payload = message.payload
        return OutboxRow(
            id=publication.row_id,
            relay=RELAY,
            exchange=publication.exchange,
            routing_key=publication.routing_key,
            country=self.prefix,
            lane=payload.lane,
            kind=payload.kind,
            sender=payload.sender,
            message_id=payload.id,
            sent=payload.sent,
            expires=payload.expires,
            wire_bytes=message.wire_bytes,
            created_at=self.clock.now(),
            last_error=result.value,
        )

    def _refusal(self, delivery: Delivery, error: VerificationError) -> Refusal:
        return refusal_of(delivery, error, contact_point=None, at=self.clock.now(), ids=self.ids)


def _unless_only_expired(verdict: Authenticated | VerificationError) -> Authenticated | VerificationError:
    """What is right but for its expiry goes on: its contact points owe an answer, and a stub to their officers."""
    if isinstance(verdict, AuthenticatedRefusal) and verdict.code == "E_EXPIRED":
        return verdict.proven
    return verdict
