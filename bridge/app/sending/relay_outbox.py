"""The publisher's use case: lease due rows, publish, and mark them sent only once the broker has confirmed.

A row whose own publish failed has its `next_attempt_at`; where the broker could not be reached at all the rows go back
as they were, and whoever calls here waits. Where a row that a full queue had refused is taken, the next ones to that
queue wait no longer either. The lease is short and renewed while a publish lasts, so that the rows of a
killed relay come due within seconds; two relays that publish one row are absorbed by the receiver, like a crash between
publish and mark. Where the broker did not say whether it took a publish, the ledger has that until it is known.

A row past its expiry is given up: it is settled, its recipients are `expired` in the ledger, and the log says so. A
router's row is given up 30 days later only, because what expired on its way still leaves its recipient a stub ("X sent
you an alert, expired: ask"); heartbeats and requests leave none. While this clock may be wrong nothing is given up; the
receiver judges what arrives. What goes to nobody but those whom the list has stopped is withdrawn.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.app.sending.withdraw_stopped import PUBLISHER, WithdrawStopped
from bridge.core.errors import UnavailableError
from bridge.core.verification import MAX_LIFETIME
from bridge.ports.broker import Publication, Publisher, PublishOutcome
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import AuditEntry, OutboxRow

LEASE_SECONDS: Final = 10.0
RENEW_SECONDS: Final = 3.0
FIRST_RETRY_SECONDS: Final = 0.5
LONGEST_RETRY_SECONDS: Final = 300.0
LONGEST_REST: Final = timedelta(seconds=10)  # whatever was overlooked is not overlooked for long
FULL: Final = PublishOutcome.REFUSED.value


def trust_the_clock() -> bool:
    """Where nobody watches the clock."""
    return True


@dataclass(frozen=True, slots=True)
class _Rest:
    """What an empty outbox looked like: as long as the mark stays, nothing is due before `until`."""

    mark: object
    since: datetime
    until: datetime


@dataclass(slots=True)
class RelayOutbox:
    """Publishes the rows of one relay (`publisher` or `subscriber`) with that relay's own broker account.

    Nothing is due most of the time, and looking is a transaction: while the database stays as it was, nobody looks.

    Attributes:
        batch: rows published at a time.
        lane: the one that is relayed here, or both, `urgent` first.
        clock_is_trusted: while it answers false no row is given up as expired.
        stopped: withdraws what may not go any more; a router has none, its rows stay in the country.
    """

    relay: str
    publisher: Publisher
    store: Store
    clock: Clock
    batch: int = 100
    lane: str | None = None
    clock_is_trusted: Callable[[], bool] = trust_the_clock
    stopped: WithdrawStopped | None = None
    _rest: _Rest | None = field(default=None, init=False, repr=False)

    def rests(self) -> bool:
        """Whether nothing can be due: the last look found nothing, and nobody has changed anything since."""
        rest = self._rest
        return rest is not None and rest.since <= self.clock.now() < rest.until and rest.mark == self.store.mark()

    async def relay_once(self) -> int:
        """Publishes one batch of due rows; answers how many were settled (0: nothing is due, or nothing went).

        Cancelled while it publishes, it gives the rows back first.

        Raises:
            UnavailableError: the broker or the database cannot be reached; the rows stay and become due again.
        """
        now = self.clock.now()
        if self.rests() or not await self._is_due(now):
            return 0
        token = secrets.token_hex(8)
        async with self.store.writing() as unit:
            rows = await unit.outbox.claim(
                self.relay, token=token, now=now, lease_seconds=LEASE_SECONDS, limit=self.batch, lane=self.lane
            )
        given_up = [row for row in rows if self._is_over(row, now)] if self.clock_is_trusted() else []
        if given_up:
            await self._give_up(given_up, token)
            rows = [row for row in rows if row not in given_up]
        going = rows if self.stopped is None else await self.stopped.sift(rows)
        settled = len(given_up) + len(rows) - len(going)
        return settled + (await self._publish(going, token) if going else 0)

    async def _is_due(self, now: datetime) -> bool:
        mark = self.store.mark()  # before the look: what is committed meanwhile makes another
        async with self.store.reading() as unit:
            due_at = await unit.outbox.first_due(self.relay, now=now, lane=self.lane)
        if due_at is not None and due_at <= now:
            return True
        latest = now + LONGEST_REST
        self._rest = _Rest(mark, now, latest if due_at is None else min(due_at, latest))
        return False

    async def _publish(self, rows: Sequence[OutboxRow], token: str) -> int:
        try:
            async with self._keeping_lease(rows, token):
                outcomes = await self.publisher.publish([_publication(row) for row in rows])
        except UnavailableError:
            await self._release(rows, token)
            raise
        except asyncio.CancelledError:
            await self._release(rows, token)
            await self._mark_uncertain(rows)
            raise
        confirmed = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome is PublishOutcome.CONFIRMED]
        if confirmed:
            await self._mark_sent(confirmed, token)
        for failure in set(outcomes) - {PublishOutcome.CONFIRMED}:
            failed = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome is failure]
            await self._put_back(failed, token, failure.value)
            if failure is PublishOutcome.UNKNOWN:
                await self._mark_uncertain(failed)
        return len(confirmed)

    @asynccontextmanager
    async def _keeping_lease(self, rows: Sequence[OutboxRow], token: str) -> AsyncIterator[None]:
        """Renews the lease as long as the block lasts."""
        renewing = asyncio.create_task(self._renew([row.id for row in rows], token), name=f"lease {self.relay}")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)

    async def _renew(self, ids: Sequence[str], token: str) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(UnavailableError):  # then it runs out, and what was published goes out once more
                async with self.store.writing() as unit:
                    await unit.outbox.renew(ids, token=token, now=self.clock.now(), lease_seconds=LEASE_SECONDS)

    async def _release(self, rows: Sequence[OutboxRow], token: str) -> None:
        async with self.store.writing() as unit:
            await unit.outbox.release([row.id for row in rows], token=token)

    async def _mark_sent(self, rows: Sequence[OutboxRow], token: str) -> None:
        now = self.clock.now()
        async with self.store.writing() as unit:
            await unit.outbox.mark_sent([row.id for row in rows], token=token, now=now)
            roomy = {(row.country, row.lane) for row in rows if row.last_error == FULL}
            if roomy:  # as many as have just found room: the queue may be full again soon
                await unit.outbox.hasten(self.relay, roomy, error=FULL, now=now, limit=self.batch)
            if self.relay == PUBLISHER:
                await unit.ledger.mark_sent([(row.message_id, row.country) for row in rows], now)

    async def _mark_uncertain(self, rows: Sequence[OutboxRow]) -> None:
        if self.relay == PUBLISHER:
            async with self.store.writing() as unit:
                await unit.ledger.mark_uncertain([(row.message_id, row.country) for row in rows])

    def _is_over(self, row: OutboxRow, now: datetime) -> bool:
        leaves_a_stub = self.relay != PUBLISHER and row.is_kept
        return now >= row.expires + (MAX_LIFETIME if leaves_a_stub else timedelta(0))

    async def _give_up(self, rows: Sequence[OutboxRow], token: str) -> None:
        now = self.clock.now()
        entries = [
            AuditEntry(now, self.relay, "message.expired", None, row.message_id, {"to": row.country, "kind": row.kind})
            for row in rows
            if row.is_kept
        ]
        async with self.store.writing() as unit:
            await unit.outbox.mark_expired([row.id for row in rows], token=token, now=now)
            if self.relay == PUBLISHER:
                await unit.ledger.mark_expired([(row.message_id, row.country) for row in rows])
            await unit.audit.add(entries)

    async def _put_back(self, rows: Sequence[OutboxRow], token: str, error: str) -> None:
        by_attempts: dict[int, list[str]] = defaultdict(list)
        for row in rows:
            by_attempts[row.attempts].append(row.id)
        now = self.clock.now()
        async with self.store.writing() as unit:
            for attempts, ids in by_attempts.items():
                next_attempt_at = now + _patience(attempts)
                await unit.outbox.mark_failed(ids, token=token, next_attempt_at=next_attempt_at, error=error)


def _publication(row: OutboxRow) -> Publication:
    return Publication(
        row_id=row.id,
        exchange=row.exchange,
        routing_key=row.routing_key,
        wire_bytes=row.wire_bytes,
        kind=row.kind,
        sender=row.sender,
        message_id=row.message_id,
        sent=row.sent,
    )


def _patience(attempts: int) -> timedelta:
    """Doubles from half a second to five minutes, with jitter, so that a country's relays do not move in step."""
    longest = min(LONGEST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(attempts, 16))
    return timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
