"""A receipt has no number, so that nobody misses one that was lost: its message is published once more instead.

A recipient that has the message answers the copy again (wire-format: step 13); one that has not gets it. A message is
repeated 1, 6, 24 and 72 hours after it was published, while no receipt has come, and only towards a recipient that was
heard since: whoever is away has it in its queue. What was due while nothing ran is repeated at the next of these times.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.app.receiving.answering import repeated_row
from bridge.core.ids import prefix_of
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.no_gap import PeerSeen, Unanswered
from bridge.ports.store.records import AuditEntry

REPEATED_AFTER: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(hours=72))
LOOKED_EVERY: Final = timedelta(minutes=10)
# Of one look and one of these times; messages of up to 1 MiB each are in memory.
MOST_AT_ONCE: Final = 100
_NEVER: Final = PeerSeen(None, None)


@dataclass(slots=True)
class RepeatUnanswered:
    """Repeats for the contact points of one node; it remembers up to when it has looked."""

    desks: Mapping[str, Desk]
    store: Store
    clock: Clock
    ids: Ids
    _looked_at: datetime | None = field(default=None, init=False)

    async def repeat(self) -> int:
        """Publishes again what came due since the last look; answers how many publishes that are.

        Raises:
            UnavailableError: the database cannot be reached.
        """
        now = self.clock.now()
        since = self._looked_at
        if since is None or not now - timedelta(days=1) < since <= now:
            since = now - LOOKED_EVERY
        async with self.store.reading() as unit:
            due = await self._due(unit, since, now)
        if due:
            await self._repeat(due, now)
        self._looked_at = now
        return len(due)

    async def _due(self, unit: UnitOfWork, since: datetime, now: datetime) -> Mapping[tuple[str, str], Unanswered]:
        """(message id, country) -> what is to be published there once more."""
        seen = await unit.peers.seen(self.desks)
        due: dict[tuple[str, str], Unanswered] = {}
        for after in REPEATED_AFTER:
            found = await unit.asked_again.unanswered(
                self.desks, after=since - after, until=now - after, limit=MOST_AT_ONCE
            )
            for one in found:
                heard_at = seen.get((one.sender, one.recipient), _NEVER).heard_at
                if heard_at is not None and heard_at > one.sent_at:
                    due.setdefault((one.copy.message_id, prefix_of(one.recipient)), one)
        return due

    async def _repeat(self, due: Mapping[tuple[str, str], Unanswered], now: datetime) -> None:
        rows = [
            repeated_row(one.copy, sender=one.sender, recipient=one.recipient, lane=one.lane, now=now, ids=self.ids)
            for one in due.values()
        ]
        entries = [
            AuditEntry(now, one.sender, "message.repeated", one.sender, message_id, {"to": country})
            for (message_id, country), one in due.items()
        ]
        async with self.store.writing() as unit:
            await unit.outbox.add(rows)
            await unit.audit.add(entries)
