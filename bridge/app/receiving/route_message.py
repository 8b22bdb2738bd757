"""The subscriber's use case: verify without opening, hand on to the contact points concerned.

It holds no private key, signs nothing and answers nothing. What it refuses goes to quarantine, or on to the contact
points where they owe an answer for it. What it cannot place (a full or missing inbox) waits in its own outbox, so that
one inbox never stalls a country.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.app.no_gap.peer_controls import PASSING_KINDS
from bridge.app.receiving.authenticating import Authenticator, Judged
from bridge.app.receiving.deciding import is_overdue_control, sealed_message_of
from bridge.app.receiving.outcomes import Outcome
from bridge.app.receiving.refusing import Kept, Replayed, is_held, keep_refusals, refusal_of
from bridge.core.broker_names import contact_point_key
from bridge.core.errors import VerificationError
from bridge.core.ids import prefix_of
from bridge.core.verification import HELD_CODES, Authenticated, AuthenticatedRefusal
from bridge.ports.broker import Delivery, Publication, Publisher, PublishOutcome
from bridge.ports.clock import Clock, Ids
from bridge.ports.store import Store
from bridge.ports.store.records import OutboxRow, Refusal
from bridge.ports.trust import TrustSource

RELAY: Final = "subscriber"
ANSWERED_BY_THE_CONTACT_POINT: Final = frozenset({11, 12})


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

    async def route(
        self, batch: Sequence[Delivery], *, held: Sequence[str] = (), replayed: Replayed | None = None
    ) -> list[Outcome]:
        """Every delivery is confirmed by the next queue or stored here when this returns.

        Args:
            batch: the deliveries; outcomes come in their order.
            held: when the batch was held here before and is judged again: the refusals' ids, one per delivery. What is
                still held stays where it is, what found its verdict leaves once it is safe elsewhere.
            replayed: when the batch comes out of quarantine. What is refused again stays there, everything else leaves
                once it is safe elsewhere.

        Raises:
            UnavailableError: database or broker cannot be reached; nothing of the batch may be acknowledged.
        """
        routed = [self._route(item) for item in await self.authenticator.judge(batch)]
        onward = [(self._publication(one.message, to), one.message) for one in routed if one.message for to in one.to]
        results = await self.publisher.publish([publication for publication, _ in onward]) if onward else []
        stuck = [
            self._stuck_row(publication, message, result)
            for (publication, message), result in zip(onward, results, strict=True)
            if result is not PublishOutcome.CONFIRMED
        ]
        refusals = [one.refusal for one in routed]
        kept = Kept()
        if stuck or held or replayed or any(refusals):
            async with self.store.writing() as unit:
                if stuck:
                    await unit.outbox.add(stuck)
                kept = await keep_refusals(unit, refusals, held=held, replayed=replayed)
        return [one.outcome(kept) for one in routed]

    def _route(self, item: Judged) -> _Routed:
        """To whom a delivery goes on, and what of it stays here."""
        verdict = item.verdict
        error: VerificationError | None = None
        if isinstance(verdict, AuthenticatedRefusal) and _is_answered_further_on(verdict):
            message, error = verdict.proven, verdict
        elif is_overdue_control(verdict):
            return _Routed()
        elif isinstance(verdict, VerificationError):
            return _Routed(refusal=self._refusal(item.delivery, verdict))
        else:
            message = verdict
        listed = self.trust.current().contact_points
        own = [to for to in message.payload.to if prefix_of(to) == self.prefix]
        unknown = [to for to in own if to not in listed]
        if not unknown:
            return _Routed(message, own)
        error = error or VerificationError(11, "E_NOT_AUTHORISED", f"{', '.join(unknown)}: not in the membership list")
        return _Routed(message, [to for to in own if to in listed], self._refusal(item.delivery, error))

    def _publication(self, message: Authenticated, recipient: str) -> Publication:
        payload = message.payload
        return Publication(
            row_id=self.ids.new(self.clock.now()),
            exchange=self.exchange,
            routing_key=contact_point_key(recipient, payload.lane),
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
            is_kept=payload.kind not in PASSING_KINDS,
        )

    def _refusal(self, delivery: Delivery, error: VerificationError) -> Refusal:
        return refusal_of(delivery, error, contact_point=None, at=self.clock.now(), ids=self.ids)


@dataclass(frozen=True, slots=True)
class _Routed:
    """To whom a message goes on, and what of it stays with the router."""

    message: Authenticated | None = None
    to: Sequence[str] = ()
    refusal: Refusal | None = None

    def outcome(self, kept: Kept) -> Outcome:
        if self.to or self.refusal is None:
            return Outcome.ACCEPTED
        is_held = self.refusal.code in HELD_CODES and self.refusal.id not in kept.overflowed
        return Outcome.HELD if is_held else Outcome.QUARANTINED


def _is_answered_further_on(refusal: AuthenticatedRefusal) -> bool:
    """Whether the contact points owe a signed `rejected` for it, and their officers a stub of what has expired.

    From step 11 on a message is known to be addressed to us. A router signs nothing, so it hands on what it refuses for
    good there. Nobody is owed anything for a control message.
    """
    is_final = refusal.step in ANSWERED_BY_THE_CONTACT_POINT and not is_held(refusal)
    return is_final and sealed_message_of(refusal) is not None
