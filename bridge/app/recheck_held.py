"""Held messages: verified again from the first byte when list or clock may have changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
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
        """Verifies due held messages once; answers how many were looked at.

        A message that is still held is stored again by its receiver before its old row goes: nothing is lost between.
        """
        now = self.clock.now()
        async with self.store.writing() as unit:
            held = await unit.refusals.release_held(limit=BATCH, not_tried_since=now - self.every)
        for refusal in held:
            delivery = _delivery(refusal)
            if refusal.contact_point is None and self.router is not None:
                await self.router.route([delivery])
            elif refusal.contact_point in self.receivers:
                await self.receivers[refusal.contact_point].receive([delivery])
            else:
                continue
            async with self.store.writing() as unit:
                await unit.refusals.drop_held([refusal.id])
        return len(held)


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
