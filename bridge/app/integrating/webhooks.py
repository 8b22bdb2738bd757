"""Webhooks of a node's contact points: added, tried, rotated, replayed and removed by who answers for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.integrating.webhook_events import CHOSEN, of_test
from bridge.app.integrating.webhook_secrets import Secrets, open_secrets, seal_secrets
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.webhook_signing import new_secret
from bridge.ports.clock import Clock, Ids
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import AuditEntry
from bridge.ports.store.webhooks import DeliveryRecord, WebhookRecord
from bridge.ports.vault import BodyVault

MOST: Final = 20  # of one contact point
PREFIX: Final = "wh_"


@dataclass(frozen=True, slots=True)
class ManageWebhooks:
    """Webhooks of these contact points.

    `contact_point` of a method is whose webhook it must be; somebody else's is unknown, in the same words.

    Attributes:
        check_url: raises `BadInputError` for an address that is never posted to.
    """

    store: Store
    vault: Callable[[], BodyVault]
    clock: Clock
    ids: Ids
    check_url: Callable[[str], None]

    async def add(self, url: str, *, contact_point: str, events: Sequence[str], by: str) -> tuple[str, WebhookRecord]:
        """Makes one, for what happens from now on; answers its secret this once.

        Raises:
            BadInputError: `E_WEBHOOK_ADDRESS`, `E_EVENT`.
            RefusedError: `E_WEBHOOKS_FULL`.
        """
        self.check_url(url)
        strange = sorted(set(events) - set(CHOSEN))
        if strange or not events:
            found = strange[0][:64] if strange else "nothing"
            raise BadInputError("E_EVENT", f"events: found {found}, expected {', '.join(CHOSEN)}", path="events")
        now, secret = self.clock.now(), new_secret()
        webhook_id = PREFIX + self.ids.new(now)
        sealed = seal_secrets(self.vault(), contact_point, webhook_id, Secrets(secret))
        async with self.store.writing() as unit:
            if len(await unit.webhooks.list([contact_point])) >= MOST:
                raise RefusedError("E_WEBHOOKS_FULL", f"{contact_point} has {MOST} webhooks; remove one first")
            position = await _from_now_on(unit, contact_point)
            chosen = tuple(sorted(set(events)))
            record = WebhookRecord(webhook_id, contact_point, url, chosen, sealed, by, now, position)
            await unit.webhooks.add(record)
            await _note(unit, now, by, "webhook.added", record)
        return secret, record

    async def list(self, contact_points: Sequence[str]) -> Sequence[tuple[WebhookRecord, int]]:
        """Each with how many deliveries wait, oldest first."""
        async with self.store.reading() as unit:
            return [(one, await unit.webhooks.waiting(one.id)) for one in await unit.webhooks.list(contact_points)]

    async def remove(self, webhook_id: str, *, contact_point: str | None, by: str) -> None:
        """Removes one; what is in flight arrives perhaps, and nothing after it."""
        now = self.clock.now()
        async with self.store.writing() as unit:
            found = await _found(unit, webhook_id, contact_point)
            await unit.webhooks.remove(webhook_id)
            await _note(unit, now, by, "webhook.removed", found)

    async def enable(self, webhook_id: str, *, contact_point: str | None, by: str) -> None:
        """Posts there again, of what happens from now on, and what still waits."""
        now = self.clock.now()
        async with self.store.writing() as unit:
            found = await _found(unit, webhook_id, contact_point)
            if found.disabled_at is not None:
                position = await _from_now_on(unit, found.contact_point)
                await unit.webhooks.enable(webhook_id, position=position)
                await _note(unit, now, by, "webhook.enabled", found)

    async def test(self, webhook_id: str, *, contact_point: str | None, by: str) -> str:
        """Queues an event that says nothing; answers its id."""
        now = self.clock.now()
        async with self.store.writing() as unit:
            found = await _in_force(unit, webhook_id, contact_point)
            delivery = of_test(found, self.ids.new(now), now)
            await unit.webhooks.add_deliveries([delivery])
            await _note(unit, now, by, "webhook.tested", found)
        return delivery.id

    async def rotate(self, webhook_id: str, *, contact_point: str | None, by: str) -> tuple[str, datetime]:
        """A fresh secret, and until when the one before signs beside it."""
        now = self.clock.now()
        async with self.store.writing() as unit:
            found = await _found(unit, webhook_id, contact_point)
            opened = open_secrets(self.vault(), found.contact_point, webhook_id, found.secrets)
            fresh = opened.rotated(now)
            sealed = seal_secrets(self.vault(), found.contact_point, webhook_id, fresh)
            await unit.webhooks.set_secrets(webhook_id, sealed)
            await _note(unit, now, by, "webhook.rotated", found)
        return fresh.newest, fresh.before_until or now

    async def deliveries(self, webhook_id: str, *, contact_point: str | None, limit: int) -> Sequence[DeliveryRecord]:
        """The newest first."""
        async with self.store.reading() as unit:
            await _found(unit, webhook_id, contact_point)
            return await unit.webhooks.deliveries(webhook_id, limit=limit)

    async def replay(
        self,
        webhook_id: str,
        *,
        contact_point: str | None,
        by: str,
        delivery_id: str | None = None,
        since: datetime | None = None,
    ) -> int:
        """Makes one delivery due again, or all made since a moment, under the same ids; answers how many.

        Raises:
            BadInputError: `E_REPLAY`, neither or both are given; `E_UNKNOWN_DELIVERY`.
            RefusedError: `E_WEBHOOK_DISABLED`.
        """
        if (delivery_id is None) == (since is None):
            raise BadInputError("E_REPLAY", "expected a delivery, or since when, and not both")
        now = self.clock.now()
        async with self.store.writing() as unit:
            found = await _in_force(unit, webhook_id, contact_point)
            count = await unit.webhooks.replay(webhook_id, delivery_id=delivery_id, since=since, now=now)
            if delivery_id is not None and not count:
                raise BadInputError("E_UNKNOWN_DELIVERY", f"{webhook_id} has no delivery {delivery_id[:64]}")
            await _note(unit, now, by, "webhook.replayed", found, count=str(count))
        return count


async def _from_now_on(unit: UnitOfWork, contact_point: str) -> int:
    """Behind which place of the inbox a webhook begins; what nobody was there to be told of is told to nobody."""
    if all(one.disabled_at is not None for one in await unit.webhooks.list([contact_point])):
        await unit.webhooks.drop_news(contact_point)
    return await unit.happenings.newest_arrival(contact_point)


async def _found(unit: UnitOfWork, webhook_id: str, contact_point: str | None) -> WebhookRecord:
    found = await unit.webhooks.get(webhook_id)
    if found is None or contact_point not in {None, found.contact_point}:
        raise BadInputError("E_UNKNOWN_WEBHOOK", f"there is no webhook {webhook_id[:64]}")
    return found


async def _in_force(unit: UnitOfWork, webhook_id: str, contact_point: str | None) -> WebhookRecord:
    found = await _found(unit, webhook_id, contact_point)
    if found.disabled_at is not None:
        sentence = f"{webhook_id} is disabled ({found.reason}); webhooks enable posts there again"
        raise RefusedError("E_WEBHOOK_DISABLED", sentence)
    return found


async def _note(unit: UnitOfWork, at: datetime, by: str, action: str, webhook: WebhookRecord, **detail: str) -> None:
    about = {"webhook": webhook.id, "url": webhook.url, **detail}
    await unit.audit.add([AuditEntry(at, by, action, webhook.contact_point, None, about)])
