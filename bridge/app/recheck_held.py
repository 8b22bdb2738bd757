"""Held messages: verified again from the first byte when list or clock may have changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.receive_message import ReceiveMessages
from bridge.app.route_message import RouteMessages
from bridge.core.verification import Hints
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import Refusal

BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class RecheckHeld:
    """Hands held messages back to whoever held them: a contact point, or the country's router."""

    store: Store
    clock: Clock
    receivers: Mapping[str, ReceiveMessages]
    router: RouteMessages | None
    every: timedelta

    async def recheck(self) -> int:
        """Verifies every due held message once; answers how many were looked at.

        What is still held stays where it is, with its age and its place in the quota. What belongs to a contact point
        that is not served here is left alone.
        """
        now, looked_at = self.clock.now(), 0
        while held := await self._release(now):
            looked_at += len(held)
            by_holder: dict[str | None, list[Refusal]] = defaultdict(list)
            for refusal in held:
                by_holder[refusal.contact_point].append(refusal)
            for holder, refusals in by_holder.items():
                await self._hand_back(holder, refusals)
        return looked_at

    async def _release(self, now: datetime) -> Sequence[Refusal]:
        async with self.store.writing() as unit:
            return await unit.refusals.release_held(limit=BATCH, not_tried_since=now - self.every, now=now)

    async def _hand_back(self, holder: str | None, refusals: Sequence[Refusal]) -> None:
        deliveries, ids = [_delivery(refusal) for refusal in refusals], [refusal.id for refusal in refusals]
        if holder is None and self.router is not None:
            await self.router.route(deliveries, held=ids)
        elif holder is not None and holder in self.receivers:
            await self.receivers[holder].receive(deliveries, held=ids)


def _delivery(refusal: Refusal) -> Delivery:
    properties = refusal.properties
    return Delivery(
        tag=0,
        queue=refusal.queue,
        wire_bytes=refusal.wire_bytes,
        hints=Hints(
            correlation_id=properties.get("correlation_id"),
            type=properties.get("type"),
            app_id=properties.get("app_id"),
            routing_key=properties.get("routing_key"),
            user_id=properties.get("user_id"),
            copied=properties.get("copied") is not None,
        ),
        redelivered=True,
    )
