"""A receipt has no number, so that nobody misses one that was lost: its message is published once more instead.

A recipient that has the message answers the copy again (wire-format: step 13); one that has not gets it. A message is
repeated 1, 6, 24 and 72 hours after it was published, while no receipt has come, and only towards a recipient that was
heard since, whoever is away has it in its queue, and that the list does not stop. What was due while nothing ran is
repeated at the next of these times.
One look repeats a bounded number of messages; the next one goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.app.receiving.answering import repeated_row
from bridge.app.sending.stopped import stop_code
from bridge.core.ids import prefix_of
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store
from bridge.ports.store.no_gap import Published, Unanswered
from bridge.ports.store.records import AuditEntry
from bridge.ports.trust import TrustSource

REPEATED_AFTER: Final = (timedelta(hours=1), timedelta(hours=6), timedelta(hours=24), timedelta(hours=72))
LOOKED_EVERY: Final = timedelta(minutes=10)
MOST_AT_ONCE: Final = 100  # messages of up to 1 MiB each are in memory
PARTS_OF_A_LOOK: Final = 10  # for each of these times: what a look puts into the outbox is bounded


@dataclass(slots=True)
class RepeatUnanswered:
    """Repeats for the contact points of one node; it remembers how far it has come with each of the times."""

    desks: Mapping[str, Desk]
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids
    _looked_at: datetime | None = field(default=None, init=False)
    _reached: dict[timedelta, Published] = field(default_factory=dict, init=False)

    async def repeat(self) -> int:
        """Publishes again what came due since the last look; answers how many publishes that are.

        Raises:
            UnavailableError: the database cannot be reached, or there is no membership list.
        """
        now = self.clock.now()
        last = self._looked_at
        if last is None or not now - timedelta(days=1) < last <= now:
            self._reached = {after: Published(now - LOOKED_EVERY - after) for after in REPEATED_AFTER}
        self._looked_at = now
        repeated: set[tuple[str, str]] = set()
        for after in REPEATED_AFTER:
            for _ in range(PARTS_OF_A_LOOK):
                if not await self._repeat_part(after, now, repeated):
                    break
        return len(repeated)

    async def _repeat_part(self, after: timedelta, now: datetime, repeated: set[tuple[str, str]]) -> bool:
        """Repeats the next few and adds them to `repeated`, (message id, country); answers whether more is due."""
        async with self.store.reading() as unit:
            found = await unit.asked_again.unanswered(
                self.desks, after=self._reached[after], before=now - after, limit=MOST_AT_ONCE
            )
        directory, due = self.trust.current(), dict[tuple[str, str], Unanswered]()
        for one in (one for one in found if stop_code(directory, one.recipient) is None):
            due.setdefault((one.copy.message_id, prefix_of(one.recipient)), one)
        due = {publish: one for publish, one in due.items() if publish not in repeated}
        if due:
            await self._repeat(due, now)
        repeated |= due.keys()
        is_full = len(found) == MOST_AT_ONCE
        self._reached[after] = found[-1].published if is_full else Published(now - after)
        return is_full

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
