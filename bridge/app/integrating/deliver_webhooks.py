"""Posts what is due to webhooks, one delivery at a time to each.

Rules:
1. A webhook is leased while it is posted to. Whoever is killed between the POST and its note leaves a lease that ends;
   the delivery goes out again under the same id.
2. Taken is what is answered with 2xx. Everything else is tried again by the schedule (`webhook_schedule`), under the
   same id with the time of the attempt; after it, the delivery is given up.
3. After a failure the webhook rests a little, so that one that is away costs next to nothing however much waits for it.
4. 410 disables a webhook at once; five days without one success do, once a delivery was given up. Both are said in the
   log, in the audit log, and in `status`.
5. Nothing of an answer but its status is looked at.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import structlog

from bridge.app.integrating.webhook_events import payload_of
from bridge.app.integrating.webhook_schedule import DISABLED_AFTER, pause_after
from bridge.app.integrating.webhook_secrets import open_secrets
from bridge.core.errors import UnavailableError
from bridge.core.webhook_signing import signed_headers
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import AuditEntry
from bridge.ports.store.webhooks import DeliveryRecord, WebhookRecord
from bridge.ports.vault import BodyVault
from bridge.ports.webhooks import WebhookPoster

LEASE: Final = timedelta(seconds=30)  # an attempt takes 15 at most
REST: Final = timedelta(seconds=5)  # after a failure
MOST_IN_TURN: Final = 20  # to one webhook, before others are looked at
ACTOR: Final = "bridge"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of an attempt: the status of an answer, or why there was none."""

    status: int | None
    error: str

    @property
    def is_taken(self) -> bool:
        return self.status is not None and HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class DeliverWebhooks:
    """Posts to the webhooks of this node.

    Attributes:
        draw: a number from 0 to 1, for jitter.
    """

    store: Store
    vault: BodyVault
    clock: Clock
    poster: WebhookPoster
    draw: Callable[[], float] = random.random

    async def ready(self) -> Sequence[tuple[str, bool]]:
        """(id, whether it failed last) of what `serve` has something to do for."""
        async with self.store.reading() as unit:
            return await unit.webhooks.ready(now=self.clock.now())

    async def serve(self, webhook_id: str, go_on: Callable[[], bool] = lambda: True) -> None:
        """Posts what is due to one webhook, until that fails, `go_on` says no, or it had its turn.

        Raises:
            UnavailableError: the database cannot be reached, its secret does not open, or the clock was set.
        """
        token, turn = secrets.token_hex(16), 1
        async with self.store.writing() as unit:
            webhook, due = await self._next(unit, webhook_id, token)
        while webhook is not None and due is not None:
            outcome = await self._post(webhook, due)
            async with self.store.writing() as unit:
                until = await self._note(unit, webhook, due, outcome)
                if outcome.is_taken and turn < MOST_IN_TURN and go_on():
                    webhook, due = await self._next(unit, webhook_id, token)
                    turn += 1
                else:
                    await unit.webhooks.release(webhook_id, token=token, until=until)
                    due = None

    async def _next(
        self, unit: UnitOfWork, webhook_id: str, token: str
    ) -> tuple[WebhookRecord | None, DeliveryRecord | None]:
        now = self.clock.now()
        webhook = await unit.webhooks.lease(webhook_id, token=token, now=now, until=now + LEASE)
        due = await unit.webhooks.next_due(webhook_id, now=now) if webhook is not None else None
        if due is None:
            await unit.webhooks.release(webhook_id, token=token, until=None)
        return webhook, due

    async def _post(self, webhook: WebhookRecord, due: DeliveryRecord) -> _Outcome:
        now, body_bytes = self.clock.now(), payload_of(due, webhook.contact_point)
        opened = open_secrets(self.vault, webhook.contact_point, webhook.id, webhook.secrets)
        headers = signed_headers(due.id, now, body_bytes, opened.keys(now))
        try:
            status = await self.poster.post(webhook.url, body_bytes, headers)
        except UnavailableError as error:
            return _Outcome(None, error.message)
        return _Outcome(status, f"it answered {status}")

    async def _note(
        self, unit: UnitOfWork, webhook: WebhookRecord, due: DeliveryRecord, outcome: _Outcome
    ) -> datetime | None:
        """Notes an attempt; answers until when the webhook rests."""
        now = self.clock.now()
        if outcome.is_taken and outcome.status is not None:
            await unit.webhooks.mark_taken(due.id, status=outcome.status, at=now)
            if webhook.failing_since is not None:
                await unit.webhooks.note_failing(webhook.id, None)
            return None
        pause = None if outcome.status == HTTPStatus.GONE else pause_after(due.attempts + 1, self.draw)
        due_at = None if pause is None else now + pause
        await unit.webhooks.mark_failed(due.id, status=outcome.status, error=outcome.error, at=now, due_at=due_at)
        since = webhook.failing_since or now
        await unit.webhooks.note_failing(webhook.id, since)
        about = {"name": webhook.id, "contact_point": webhook.contact_point, "id": due.id, "kind": due.event}
        _log.warning("webhook.failed", detail=outcome.error, attempt=due.attempts + 1, **about)
        if outcome.status == HTTPStatus.GONE:
            await _disable(unit, webhook, now, "it answered 410: gone")
        elif now - since >= DISABLED_AFTER and await unit.webhooks.given_up_since(webhook.id, since):
            await _disable(unit, webhook, now, f"nothing was taken for {DISABLED_AFTER.days} days")
        return now + REST


async def _disable(unit: UnitOfWork, webhook: WebhookRecord, now: datetime, reason: str) -> None:
    await unit.webhooks.disable(webhook.id, now, reason=reason)
    detail = {"webhook": webhook.id, "url": webhook.url, "reason": reason}
    await unit.audit.add([AuditEntry(now, ACTOR, "webhook.disabled", webhook.contact_point, None, detail)])
    _log.error("webhook.disabled", name=webhook.id, contact_point=webhook.contact_point, reason=reason)
