"""Webhooks and their deliveries; what is due is found by a partial index that holds nothing that was settled.

A webhook is leased as a whole: one delivery at a time goes to it, whoever posts.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, Update, and_, delete, func, insert, or_, select, update

from bridge.adapters.store.tables import inbox, message
from bridge.adapters.store.transaction import Transaction
from bridge.adapters.store.webhook_tables import is_waiting, recipient_news, webhook, webhook_delivery
from bridge.ports.store.webhooks import ArrivedItem, DeliveryRecord, RecipientNews, WebhookRecord
from bridge.ports.vault import BodyAtRest

# No lease or rest is longer, no pause of the schedule either: what lies farther ahead was written by a wrong clock.
FARTHEST_LEASE: Final = timedelta(minutes=10)
FARTHEST_DUE: Final = timedelta(hours=27)
MOST_COUNTED: Final = 1000
_DELIVERY: Final = tuple(webhook_delivery.c[field.name] for field in fields(DeliveryRecord))
_WEBHOOK: Final = tuple(field.name for field in fields(WebhookRecord) if field.name != "secrets")


class SqlWebhooks:
    """Implements `bridge.ports.store.webhooks.Webhooks`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, added: WebhookRecord) -> None:
        """Stores a new one."""
        values = {name: getattr(added, name) for name in _WEBHOOK} | {"events": list(added.events)}
        await self._transaction.change_each(insert(webhook), [values | asdict(added.secrets)])

    async def get(self, webhook_id: str) -> WebhookRecord | None:
        """One of them."""
        rows = await self._transaction.rows(select(webhook).where(webhook.c.id == webhook_id))
        return _webhook(rows[0]) if rows else None

    async def list(self, contact_points: Collection[str]) -> Sequence[WebhookRecord]:
        """Those of these contact points, oldest first."""
        query = select(webhook).where(webhook.c.contact_point.in_(contact_points))
        rows = await self._transaction.rows(query.order_by(webhook.c.made_at, webhook.c.id))
        return [_webhook(row) for row in rows]

    async def remove(self, webhook_id: str) -> None:
        """Removes one with its deliveries."""
        await self._transaction.change(delete(webhook_delivery).where(webhook_delivery.c.webhook == webhook_id))
        await self._transaction.change(delete(webhook).where(webhook.c.id == webhook_id))

    async def set_secrets(self, webhook_id: str, secrets: BodyAtRest) -> None:
        """Replaces what it shares with us."""
        await self._transaction.change(_one(webhook_id).values(asdict(secrets)))

    async def enable(self, webhook_id: str, *, position: int) -> None:
        """Posts there again, from a place in the inbox on."""
        values = {"disabled_at": None, "reason": None, "failing_since": None, "busy_until": None, "position": position}
        await self._transaction.change(_one(webhook_id).values(values))

    async def disable(self, webhook_id: str, at: datetime, *, reason: str) -> None:
        """Posts there no more."""
        await self._transaction.change(_one(webhook_id).values(disabled_at=at, reason=reason))

    async def begin_following(self) -> None:
        """Waits for its turn to follow, and keeps it to the end of the transaction."""
        await self._transaction.take_turn("webhooks follow")

    async def arrived(self, contact_point: str, *, after: int, limit: int) -> Sequence[ArrivedItem]:
        """What arrived behind a place in the inbox, oldest first; places become visible in their order."""
        query = (
            select(
                inbox.c.position,
                inbox.c.sender,
                inbox.c.id.label("message_id"),
                inbox.c.kind,
                inbox.c.status,
                inbox.c.urgency,
                inbox.c.received_at,
            )
            .where(inbox.c.contact_point == contact_point, inbox.c.position > after)
            .order_by(inbox.c.position)
            .limit(limit)
        )
        return [ArrivedItem(**row) for row in await self._transaction.rows(query)]

    async def move(self, webhook_id: str, position: int) -> None:
        """Notes the place in the inbox up to which it was told."""
        await self._transaction.change(_one(webhook_id).values(position=position))

    async def has_news(self) -> bool:
        """Whether something became of a message of ours that nobody took."""
        return bool(await self._transaction.rows(select(recipient_news.c.message_id).limit(1)))

    async def take_news(self, *, limit: int) -> Sequence[RecipientNews]:
        """What became of messages of ours; it is gone when this transaction commits."""
        query = (
            select(
                message.c.sender,
                *(recipient_news.c[name] for name in ("message_id", "recipient", "state", "code")),
                message.c.kind,
                message.c.status,
                message.c.urgency,
            )
            .join(message, message.c.id == recipient_news.c.message_id)
            .order_by(recipient_news.c.message_id, recipient_news.c.recipient, recipient_news.c.state)
            .limit(limit)
        )
        news = [RecipientNews(**row) for row in await self._transaction.rows(query)]
        for one in news:
            key = and_(
                recipient_news.c.message_id == one.message_id,
                recipient_news.c.recipient == one.recipient,
                recipient_news.c.state == one.state,
            )
            await self._transaction.change(delete(recipient_news).where(key))
        return news

    async def drop_news(self, contact_point: str) -> None:
        """Forgets what became of a contact point's messages, as far as nobody took it."""
        own = select(message.c.id).where(message.c.id == recipient_news.c.message_id, message.c.sender == contact_point)
        await self._transaction.change(delete(recipient_news).where(own.exists()))

    async def add_deliveries(self, deliveries: Sequence[DeliveryRecord]) -> None:
        """Stores deliveries, except those of an event that this webhook has."""
        statement = self._transaction.insert(webhook_delivery).on_conflict_do_nothing()
        await self._transaction.change_each(statement, [asdict(one) for one in deliveries])

    async def ready(self, *, now: datetime) -> Sequence[tuple[str, bool]]:
        """(id, whether it failed last) of webhooks that something is due for, and that nobody posts to now."""
        due = select(webhook_delivery.c.id).where(webhook_delivery.c.webhook == webhook.c.id, _is_due(now)).exists()
        query = select(webhook.c.id, webhook.c.failing_since).where(_is_free(now), due)
        rows = await self._transaction.rows(query.order_by(webhook.c.busy_until, webhook.c.id))
        return [(row["id"], row["failing_since"] is not None) for row in rows]

    async def lease(self, webhook_id: str, *, token: str, now: datetime, until: datetime) -> WebhookRecord | None:
        """Takes a webhook, or keeps it; `None` where another one has it, or it is disabled or gone."""
        own = and_(webhook.c.lease_token == token, webhook.c.disabled_at.is_(None))
        taking = _one(webhook_id).where(or_(own, _is_free(now))).values(lease_token=token, busy_until=until)
        return await self.get(webhook_id) if await self._transaction.change(taking) == 1 else None

    async def release(self, webhook_id: str, *, token: str, until: datetime | None) -> None:
        """Gives it back, at once or at a moment."""
        own = _one(webhook_id).where(webhook.c.lease_token == token)
        await self._transaction.change(own.values(lease_token=None, busy_until=until))

    async def next_due(self, webhook_id: str, *, now: datetime) -> DeliveryRecord | None:
        """What is due for a webhook first."""
        query = select(*_DELIVERY).where(webhook_delivery.c.webhook == webhook_id, _is_due(now))
        first = query.order_by(webhook_delivery.c.due_at, webhook_delivery.c.position)
        rows = await self._transaction.rows(first.limit(1))
        return DeliveryRecord(**rows[0]) if rows else None

    async def mark_taken(self, delivery_id: str, *, status: int, at: datetime) -> None:
        """The other side took it."""
        values = {"due_at": None, "answered_at": at, "last_error": None}
        await self._transaction.change(_tried(delivery_id, status, at).values(values))

    async def mark_failed(
        self, delivery_id: str, *, status: int | None, error: str, at: datetime, due_at: datetime | None
    ) -> None:
        """It did not; `due_at` `None`: it is given up."""
        values = {"due_at": due_at, "last_error": error, "given_up_at": at if due_at is None else None}
        await self._transaction.change(_tried(delivery_id, status, at).values(values))

    async def note_failing(self, webhook_id: str, since: datetime | None) -> None:
        """Since when a webhook fails; `None`: it works."""
        await self._transaction.change(_one(webhook_id).values(failing_since=since))

    async def given_up_since(self, webhook_id: str, since: datetime) -> bool:
        """Whether one was given up since a moment."""
        query = select(webhook_delivery.c.id).where(
            webhook_delivery.c.webhook == webhook_id, webhook_delivery.c.given_up_at >= since
        )
        return bool(await self._transaction.rows(query.limit(1)))

    async def deliveries(self, webhook_id: str, *, limit: int) -> Sequence[DeliveryRecord]:
        """The newest first."""
        query = select(*_DELIVERY).where(webhook_delivery.c.webhook == webhook_id)
        rows = await self._transaction.rows(query.order_by(webhook_delivery.c.position.desc()).limit(limit))
        return [DeliveryRecord(**row) for row in rows]

    async def replay(self, webhook_id: str, *, delivery_id: str | None, since: datetime | None, now: datetime) -> int:
        """Makes one, or all made since a moment, due again; answers how many."""
        chosen = update(webhook_delivery).where(webhook_delivery.c.webhook == webhook_id)
        if delivery_id is not None:
            chosen = chosen.where(webhook_delivery.c.id == delivery_id)
        if since is not None:
            chosen = chosen.where(webhook_delivery.c.made_at >= since)
        again = {"due_at": now, "attempts": 0, "answered_at": None, "given_up_at": None}
        return await self._transaction.change(chosen.values(again))

    async def waiting(self, webhook_id: str) -> int:
        """How many wait; a thousand at most."""
        waits = select(webhook_delivery.c.id).where(webhook_delivery.c.webhook == webhook_id, is_waiting)
        counted = select(func.count().label("count")).select_from(waits.limit(MOST_COUNTED).subquery())
        (row,) = await self._transaction.rows(counted)
        count: int = row["count"]
        return count

    async def forget(self, *, before: datetime) -> int:
        """Removes what was settled and made before a moment; answers how many."""
        old = delete(webhook_delivery).where(webhook_delivery.c.made_at < before, webhook_delivery.c.due_at.is_(None))
        return await self._transaction.change(old)


def _one(webhook_id: str) -> Update:
    return update(webhook).where(webhook.c.id == webhook_id)


def _tried(delivery_id: str, status: int | None, at: datetime) -> Update:
    """An attempt was made; what was settled meanwhile stays."""
    waiting = update(webhook_delivery).where(webhook_delivery.c.id == delivery_id, is_waiting)
    return waiting.values(attempts=webhook_delivery.c.attempts + 1, last_status=status, last_at=at)


def _is_due(now: datetime) -> ColumnElement[bool]:
    moment = webhook_delivery.c.due_at
    return and_(is_waiting, or_(moment <= now, moment > now + FARTHEST_DUE))


def _is_free(now: datetime) -> ColumnElement[bool]:
    busy = webhook.c.busy_until
    return and_(webhook.c.disabled_at.is_(None), or_(busy.is_(None), busy <= now, busy > now + FARTHEST_LEASE))


def _webhook(row: RowMapping) -> WebhookRecord:
    secrets = BodyAtRest(row["wrapped_key"], row["ciphertext"])
    values = {name: row[name] for name in _WEBHOOK} | {"events": tuple(row["events"])}
    return WebhookRecord(**values, secrets=secrets)
