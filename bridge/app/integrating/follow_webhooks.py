"""From what happened to one delivery for each webhook that chose it, in one transaction with how far that has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.app.integrating.webhook_events import of_arrival, of_news
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.webhooks import WebhookRecord

AT_ONCE: Final = 500
KEPT: Final = timedelta(days=30)


@dataclass(slots=True)
class FollowWebhooks:
    """Follows the inboxes and what becomes of what these contact points sent; costs by what is new."""

    contact_points: Sequence[str]
    store: Store
    clock: Clock
    _mark: object = field(default=None, init=False)
    _has_any: bool = field(default=False, init=False)

    async def follow(self) -> bool:
        """Looks once, where something was committed since the last time; answers whether there is a webhook at all.

        Raises:
            UnavailableError: the database cannot be reached, or the clock was set (`E_CLOCK`).
        """
        mark = self.store.mark()
        if mark == self._mark:
            return self._has_any
        async with self.store.reading() as unit:
            webhooks = await self._in_force(unit)
            is_new = bool(webhooks) and await self._something_is_new(unit, webhooks)
        is_all = True
        if is_new:
            now = self.clock.now()
            async with self.store.writing() as unit:
                await unit.webhooks.begin_following()
                webhooks = await self._in_force(unit)
                heard = await _hear(unit, webhooks, now)
                arrivals = [await _follow_inbox(unit, webhook, now) for webhook in webhooks]
                is_all = max([heard, *arrivals], default=0) < AT_ONCE
        self._mark, self._has_any = mark if is_all else None, bool(webhooks)
        return self._has_any

    async def forget(self) -> None:
        """Forgets settled deliveries after a while; now and then."""
        async with self.store.writing() as unit:
            await unit.webhooks.forget(before=self.clock.now() - KEPT)

    async def _in_force(self, unit: UnitOfWork) -> Sequence[WebhookRecord]:
        return [one for one in await unit.webhooks.list(self.contact_points) if one.disabled_at is None]

    async def _something_is_new(self, unit: UnitOfWork, webhooks: Sequence[WebhookRecord]) -> bool:
        if await unit.webhooks.has_news():
            return True
        newest = {point: await unit.happenings.newest_arrival(point) for point in self.contact_points}
        return any(newest[one.contact_point] > one.position for one in webhooks)


async def _hear(unit: UnitOfWork, webhooks: Sequence[WebhookRecord], now: datetime) -> int:
    """What became of messages; answers how much there was."""
    news = await unit.webhooks.take_news(limit=AT_ONCE)
    made = [of_news(webhook, one, now) for one in news for webhook in webhooks]
    await unit.webhooks.add_deliveries([one for one in made if one is not None])
    return len(news)


async def _follow_inbox(unit: UnitOfWork, webhook: WebhookRecord, now: datetime) -> int:
    """What arrived; answers how much there was."""
    items = await unit.webhooks.arrived(webhook.contact_point, after=webhook.position, limit=AT_ONCE)
    made = [of_arrival(webhook, item, now) for item in items]
    await unit.webhooks.add_deliveries([one for one in made if one is not None])
    if items:
        await unit.webhooks.move(webhook.id, items[-1].position)
    return len(items)
