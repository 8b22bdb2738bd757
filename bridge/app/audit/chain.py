"""The audit log's chain: whoever changes, removes or inserts a row behind the sealer's back breaks it.

Rules:
1. A seal is a MAC over the seal before it and every row since, under a key that is not in the database. Who has the
   database alone cannot make one; who has the machine's secret can (docs/security.md).
2. Rows are written unchained, so that workers do not queue up behind a hash; one sealer follows them.
3. It stays `LAG_SECONDS` behind: on PostgreSQL a row may become visible after a later one.
4. Each seal's beginning goes into the process's log, which is kept elsewhere: a log that was cut off at its end is
   shorter than what was said of it.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from bridge.core.times import format_time
from bridge.core.wire import strict_json
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.audit_seals import AuditSeal
from bridge.ports.store.records import AuditEntry

LAG_SECONDS: Final = 60.0
MOST_ROWS: Final = 1000  # under one seal
_FIRST: Final = b"\x00" * 32
_SHOWN: Final = 16

_log = structlog.get_logger()


def chain_key(machine_secret: bytes) -> bytes:
    """The key of this node's chain."""
    return hmac.new(machine_secret, b"ncp-bridge audit chain 1", hashlib.sha256).digest()


def mac_of(key: bytes, before: bytes, rows: Sequence[tuple[int, AuditEntry]]) -> bytes:
    """The MAC over the one before and these rows; each row's length stands before it."""
    made = hmac.new(key, before, hashlib.sha256)
    for place, entry in rows:
        row_bytes = strict_json.encode(
            {
                "place": place,
                "at": format_time(entry.at),
                "microsecond": entry.at.microsecond,
                "actor": entry.actor,
                "action": entry.action,
                "contact_point": entry.contact_point or "",
                "subject": entry.subject or "",
                "detail": dict(entry.detail),
            }
        )
        made.update(len(row_bytes).to_bytes(8, "big") + row_bytes)
    return made.digest()


@dataclass(slots=True)
class SealAudit:
    """Follows the log. Several may: the first to seal up to a place wins, the others' work is dropped."""

    store: Store
    clock: Clock
    key: bytes = field(repr=False)
    monotonic: Callable[[], float] = time.monotonic
    _seen: list[tuple[float, int]] = field(default_factory=list, init=False)

    async def seal(self) -> int:
        """Seals what has been there for long enough; answers how many rows.

        Raises:
            UnavailableError: the database cannot be written.
        """
        now = self.monotonic()
        async with self.store.reading() as unit:
            self._seen.append((now, await unit.audit_seals.newest_place()))
        old_enough = [place for at, place in self._seen if now - at >= LAG_SECONDS]
        if not old_enough:
            return 0
        up_to = old_enough[-1]
        self._seen = [(at, place) for at, place in self._seen if now - at < LAG_SECONDS or place == up_to]
        sealed = 0
        while count := await self._seal_some(up_to):
            sealed += count
        return sealed

    async def _seal_some(self, up_to: int) -> int:
        async with self.store.writing() as unit:
            last = await unit.audit_seals.last()
            begun = last.position if last else 0
            rows = await unit.audit_seals.rows_behind(begun, up_to=up_to, limit=MOST_ROWS)
            if not rows:
                return 0
            mac = mac_of(self.key, last.mac if last else _FIRST, rows)
            seal = AuditSeal(rows[-1][0], len(rows), self.clock.now(), mac)
            if not await unit.audit_seals.add(seal):
                return 0
        _log.info("audit.sealed", place=seal.position, rows=seal.count, seal=mac.hex()[:_SHOWN])
        return len(rows)


@dataclass(frozen=True, slots=True)
class ChainChecked:
    """What a check found.

    Attributes:
        sealed: rows that the chain holds.
        unsealed: rows that no seal is over yet.
        broken_behind: the place behind which the chain does not hold, `None` where all holds.
        last: the beginning of the newest seal that holds, as the log said it; empty where there is none.
    """

    sealed: int
    unsealed: int
    broken_behind: int | None
    last: str


@dataclass(frozen=True, slots=True)
class CheckAudit:
    """Walks the chain from its beginning."""

    store: Store
    key: bytes = field(repr=False)

    async def check(self, progress: Callable[[int], None] = lambda _: None) -> ChainChecked:
        """Stops at the first seal that does not hold; `progress` gets the number of rows walked so far.

        Raises:
            UnavailableError: the database cannot be read.
        """
        before, place, sealed = _FIRST, 0, 0
        while True:
            async with self.store.reading() as unit:
                seals = await unit.audit_seals.behind(place, limit=1)
                if not seals:
                    newest = await unit.audit_seals.newest_place()
                    rest = await unit.audit_seals.rows_behind(place, up_to=newest, limit=MOST_ROWS)
                    return ChainChecked(sealed, len(rest), None, before.hex()[:_SHOWN] if sealed else "")
                rows = await unit.audit_seals.rows_behind(place, up_to=seals[0].position, limit=MOST_ROWS + 1)
            seal = seals[0]
            holds = len(rows) == seal.count and hmac.compare_digest(mac_of(self.key, before, rows), seal.mac)
            if not holds:
                return ChainChecked(sealed, 0, place, before.hex()[:_SHOWN] if sealed else "")
            before, place, sealed = seal.mac, seal.position, sealed + seal.count
            progress(sealed)
