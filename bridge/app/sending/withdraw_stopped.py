"""Nothing leaves for somebody whom the membership list has stopped: suspended, or not in it any more.

Rules:
1. A publish goes to a country. It is withdrawn when each of its recipients there is stopped; else it goes, for the
   others, and the router there hands it to none that is stopped.
2. A message that never left is given up at a stopped recipient, with the code. What had left before stays as it is, and
   is not published again.
3. The relay asks (`sift`) before each publish. What goes to a country in which somebody is suspended, or of which
   nobody is left, is always read closely. Elsewhere it is one look in a set, but for the time before the first look and
   ten minutes after the list stopped somebody: as long as other processes may make messages by the list before.
4. What waits is looked at (`look`) at each start and when the list stops somebody, whether a relay would take it up now
   or not: its sender is told at once, also while there is no broker.
5. Nothing is put back when a recipient returns: it misses the numbers and asks for them (`no_gap`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.app.receiving.giving_way import let_others_run
from bridge.app.sending.stopped import stop_code
from bridge.core.directory import Directory
from bridge.core.errors import VerificationError
from bridge.core.ids import prefix_of
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.core.wire.payload import read_payload
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import AuditEntry, OutboxRow
from bridge.ports.trust import TrustSource

PUBLISHER: Final = "publisher"
READ_CLOSELY_FOR: Final = timedelta(minutes=10)
_AT_ONCE: Final = 50  # messages of up to 1 MiB each are in memory

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Known:
    """One list: who is not stopped, and the prefixes of which it has somebody and stops nobody."""

    directory: Directory
    going: frozenset[str]
    open_countries: frozenset[str]


@dataclass(slots=True)
class WithdrawStopped:
    """Withdraws what the publisher of one node has in its outbox."""

    store: Store
    trust: TrustSource
    clock: Clock
    _known: _Known | None = field(default=None, init=False, repr=False)
    _stopped_at: datetime | None = field(default=None, init=False, repr=False)
    _looked_by: frozenset[str] | None = field(default=None, init=False, repr=False)

    async def sift(self, rows: Sequence[OutboxRow]) -> Sequence[OutboxRow]:
        """Those of a relay's rows that may go; the others are withdrawn.

        Raises:
            UnavailableError: the database cannot be reached, or there is no membership list.
        """
        known = self._learn()
        trusted = () if self._is_close() else known.open_countries
        doubtful = [row for row in rows if row.country not in trusted]
        withdrawn = await self._withdraw(doubtful, known.directory) if doubtful else ()
        return [row for row in rows if row.id not in withdrawn] if withdrawn else rows

    async def look(self) -> int:
        """Looks through what waits, where the list stops somebody whom it did not stop at the last look.

        Answers how many publishes were withdrawn.

        Raises:
            UnavailableError: the database cannot be reached, or there is no membership list.
        """
        known = self._learn()
        if self._looked_by is None or self._looked_by - known.going:
            count = await self._look(known.directory)
        else:
            count = 0
        self._looked_by = known.going
        return count

    def _is_close(self) -> bool:
        if self._looked_by is None:
            return True
        return self._stopped_at is not None and self.clock.now() < self._stopped_at + READ_CLOSELY_FOR

    async def _look(self, directory: Directory) -> int:
        count = 0
        async with self.store.reading() as unit:
            ids = await unit.outbox.waiting_ids(PUBLISHER, now=self.clock.now())
        for start in range(0, len(ids), _AT_ONCE):
            async with self.store.reading() as unit:
                rows = await unit.outbox.waiting_rows(ids[start : start + _AT_ONCE])
            count += len(await self._withdraw(rows, directory))
            await let_others_run()
        return count

    def _learn(self) -> _Known:
        """What the present list says; a new one is gone through once."""
        directory, before = self.trust.current(), self._known
        if before is not None and before.directory is directory:
            return before
        points = directory.contact_points.values()
        going = frozenset(point.id for point in points if stop_code(directory, point.id) is None)
        closed = {point.prefix for point in points if point.id not in going}
        self._known = _Known(directory, going, frozenset(prefix_of(own) for own in going) - closed)
        if before is not None and before.going - going:
            self._stopped_at = self.clock.now()
        return self._known

    async def _withdraw(self, rows: Sequence[OutboxRow], directory: Directory) -> Collection[str]:
        """Answers the ids of the rows that are withdrawn; of the others it notes who is stopped."""
        now = self.clock.now()
        stopped: list[tuple[str, str, str]] = []
        entries: dict[str, AuditEntry | None] = {}
        for row in rows:
            there = [to for to in _recipients(row) if prefix_of(to) == row.country]
            codes = {to: code for to in there if (code := stop_code(directory, to)) is not None}
            stopped += [(row.message_id, to, code) for to, code in codes.items()]
            if codes and len(codes) == len(there):
                entries[row.id] = _entry(row, codes, now) if row.is_kept else None
        if stopped:
            async with self.store.writing() as unit:
                await unit.ledger.mark_stopped(stopped)
                await unit.outbox.withdraw(list(entries), now)
                await unit.audit.add([entry for entry in entries.values() if entry is not None])
        if entries:
            _log.warning("messages.withdrawn", count=len(entries))
        return entries.keys()


def _recipients(row: OutboxRow) -> Sequence[str]:
    """Everybody to whom the row's message is signed, in whatever country; nobody where its bytes are damaged.

    Every recipient refuses those, and they must not keep others from going.
    """
    try:
        return read_payload(strict_json.parse_object(parse_envelope(row.wire_bytes).payload_bytes)).to
    except (ValueError, VerificationError):
        return ()


def _entry(row: OutboxRow, codes: dict[str, str], now: datetime) -> AuditEntry:
    detail = {"to": ",".join(sorted(codes)), "kind": row.kind, "code": ",".join(sorted(set(codes.values())))}
    return AuditEntry(now, PUBLISHER, "message.withdrawn", row.sender, row.message_id, detail)
