"""Webhooks of national systems, what happened that they are told of, and each delivery of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bridge.ports.vault import BodyAtRest


@dataclass(frozen=True, slots=True)
class WebhookRecord:
    """Where the events of one contact point are posted.

    Attributes:
        events: names of `bridge.app.integrating.webhook_events.Event`.
        secrets: what it shares with us, sealed.
        position: the place in the inbox up to which it was told.
        failing_since: the first failure after the last success.
        disabled_at: with `reason`: nothing is posted there any more.
    """

    id: str
    contact_point: str
    url: str
    events: tuple[str, ...]
    secrets: BodyAtRest = field(repr=False)
    made_by: str
    made_at: datetime
    position: int
    failing_since: datetime | None = None
    disabled_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """One event for one webhook.

    Attributes:
        id: the same in every attempt and replay.
        sender, message_id: the message it is about; of a test a number of its own.
        recipient, state, code: of a message of ours: what became of it there; else empty.
        at: when it happened.
        due_at: of the next attempt; `None` once it is settled.
        answered_at: when it was taken.
    """

    id: str
    webhook: str
    event: str
    sender: str
    message_id: str
    recipient: str
    state: str
    code: str | None
    kind: str | None
    status: str | None
    urgency: str | None
    at: datetime
    made_at: datetime
    due_at: datetime | None
    attempts: int = 0
    last_status: int | None = None
    last_error: str | None = None
    last_at: datetime | None = None
    answered_at: datetime | None = None
    given_up_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ArrivedItem:
    """What the envelope of a received message says, at its place in the inbox."""

    position: int
    sender: str
    message_id: str
    kind: str
    status: str
    urgency: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RecipientNews:
    """A recipient of a message of ours moved to a state."""

    sender: str
    message_id: str
    recipient: str
    state: str
    code: str | None
    kind: str
    status: str
    urgency: str


class Webhooks(Protocol):
    """Webhooks and their deliveries.

    What became of messages of ours is noted by the ledger, in the transaction in which it becomes so, as long as their
    sender has a webhook; whoever follows takes it from there. Positions play no part in that.
    """

    async def add(self, webhook: WebhookRecord) -> None:
        """Stores a new one."""
        ...

    async def get(self, webhook_id: str) -> WebhookRecord | None:
        """One of them."""
        ...

    async def list(self, contact_points: Collection[str]) -> Sequence[WebhookRecord]:
        """Those of these contact points, oldest first."""
        ...

    async def remove(self, webhook_id: str) -> None:
        """Removes one with its deliveries."""
        ...

    async def set_secrets(self, webhook_id: str, secrets: BodyAtRest) -> None:
        """Replaces what it shares with us."""
        ...

    async def enable(self, webhook_id: str, *, position: int) -> None:
        """Posts there again, from a place in the inbox on."""
        ...

    async def disable(self, webhook_id: str, at: datetime, *, reason: str) -> None:
        """Posts there no more."""
        ...

    async def begin_following(self) -> None:
        """Waits for its turn to follow, and keeps it until the unit of work ends."""
        ...

    async def arrived(self, contact_point: str, *, after: int, limit: int) -> Sequence[ArrivedItem]:
        """What arrived behind a place in the inbox, oldest first."""
        ...

    async def move(self, webhook_id: str, position: int) -> None:
        """Notes the place in the inbox up to which it was told."""
        ...

    async def has_news(self) -> bool:
        """Whether something became of a message of ours that nobody took."""
        ...

    async def take_news(self, *, limit: int) -> Sequence[RecipientNews]:
        """What became of messages of ours; it is gone when this unit of work commits."""
        ...

    async def drop_news(self, contact_point: str) -> None:
        """Forgets what became of a contact point's messages, as far as nobody took it."""
        ...

    async def add_deliveries(self, deliveries: Sequence[DeliveryRecord]) -> None:
        """Stores deliveries, except those of an event that this webhook has."""
        ...

    async def ready(self, *, now: datetime) -> Sequence[tuple[str, bool]]:
        """(id, whether it failed last) of webhooks that something is due for, and that nobody posts to now."""
        ...

    async def lease(self, webhook_id: str, *, token: str, now: datetime, until: datetime) -> WebhookRecord | None:
        """Takes a webhook, or keeps it; `None` where another one has it, or it is disabled or gone."""
        ...

    async def release(self, webhook_id: str, *, token: str, until: datetime | None) -> None:
        """Gives it back, at once or at a moment."""
        ...

    async def next_due(self, webhook_id: str, *, now: datetime) -> DeliveryRecord | None:
        """What is due for a webhook first."""
        ...

    async def mark_taken(self, delivery_id: str, *, status: int, at: datetime) -> None:
        """The other side took it; its webhook works."""
        ...

    async def mark_failed(
        self, delivery_id: str, *, status: int | None, error: str, at: datetime, due_at: datetime | None
    ) -> None:
        """It did not; `due_at` `None`: it is given up."""
        ...

    async def note_failing(self, webhook_id: str, since: datetime | None) -> None:
        """Since when a webhook fails; `None`: it works."""
        ...

    async def given_up_since(self, webhook_id: str, since: datetime) -> bool:
        """Whether one was given up since a moment."""
        ...

    async def deliveries(self, webhook_id: str, *, limit: int) -> Sequence[DeliveryRecord]:
        """The newest first."""
        ...

    async def replay(self, webhook_id: str, *, delivery_id: str | None, since: datetime | None, now: datetime) -> int:
        """Makes one, or all made since a moment, due again; answers how many."""
        ...

    async def waiting(self, webhook_id: str) -> int:
        """How many wait; a thousand at most."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Removes what was settled and made before a moment; answers how many."""
        ...
