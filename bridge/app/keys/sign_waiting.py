"""Answers that no key could sign when they were owed: signed as soon as one can, and published then.

They wait in the outbox as payloads (`answering.UNSIGNED`), which no relay publishes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.app.keys.choosing import CODE, signer_if_any
from bridge.app.receiving.answering import UNSIGNED
from bridge.app.sending.make_message import sign_payload
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk, Signer
from bridge.ports.store import Store
from bridge.ports.store.records import OutboxRow
from bridge.ports.trust import TrustSource

AGAIN_AFTER: Final = timedelta(minutes=1)
_AT_ONCE: Final = 200
_LEASE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class SignWaiting:
    """Signs for the contact points of one node."""

    desks: Mapping[str, Desk]
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids

    async def sign(self) -> int:
        """Signs what waits, a bounded number; answers how many.

        Raises:
            UnavailableError: database, list, clock or keys cannot be relied on now.
        """
        async with self.store.reading() as unit:
            waiting, _ = await unit.outbox.backlog(UNSIGNED)
        if not waiting:
            return 0
        directory, now = self.trust.current(), self.clock.now()
        found = {own: signer_if_any(desk, directory, at=now) for own, desk in self.desks.items()}
        signers = {own: signer for own, signer in found.items() if signer is not None}
        if not signers:
            return 0
        token = self.ids.new(now)
        async with self.store.writing() as unit:
            rows = await unit.outbox.claim(UNSIGNED, token=token, now=now, lease_seconds=_LEASE_SECONDS, limit=_AT_ONCE)
            ready = [row for row in rows if row.sender in signers]
            others = [row.id for row in rows if row.sender not in signers]
            await unit.outbox.add([self._signed(row, signers[row.sender], now) for row in ready])
            await unit.outbox.mark_sent([row.id for row in ready], token=token, now=now)
            await unit.outbox.mark_failed(others, token=token, next_attempt_at=now + AGAIN_AFTER, error=CODE)
        return len(ready)

    def _signed(self, row: OutboxRow, signer: Signer, now: datetime) -> OutboxRow:
        wire_bytes = sign_payload(row.wire_bytes, None, signer)
        return replace(
            row, id=self.ids.new(now), relay="publisher", wire_bytes=wire_bytes, is_kept=True, last_error=None
        )
