"""After a revocation: what is on its way under a key that counts no more is signed anew and published again.

Promises:
1. Every message of ours that has not expired, that some recipient has not got, and that everybody with our list would
   refuse for its key, is signed over the same payload by the key in use, stored, and published to the countries of
   those recipients; also what was published before. Where it had arrived it is a duplicate.
2. So is every control message that has not left yet. One that has left is not: a lost receipt is asked for by its
   message being repeated (`no_gap.repeat_unanswered`), heartbeats and requests are made again anyway.
3. Nothing is done without a usable key; it is done as soon as there is one. A few messages are one transaction: after a
   crash the rest follows at the next start, and what was signed anew is found good.

All of a contact point's messages are looked at when its keys in the list have changed, and after a start; the newest
once a minute, because somebody may have sent by the older list at the moment of the change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.app.keys.choosing import signer_if_any
from bridge.app.keys.renewing import KEY_CODES, renew, signature_obstacle, signed_anew
from bridge.app.receiving.giving_way import let_others_run
from bridge.core.directory import Directory, PublicKey
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk, Signer
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.records import OutboxRow
from bridge.ports.trust import TrustSource

NEWEST_EVERY: Final = timedelta(minutes=1)
_AT_ONCE: Final = 50  # messages of up to 1 MiB each are in memory
_AT_A_TIME: Final = 10  # one transaction holds up receiving for some 20 ms

_log = structlog.get_logger()


@dataclass(slots=True)
class _Progress:
    """How far a contact point's messages were looked at, and by which keys.

    `before`: how far one look earlier. From there on the next one begins: what two transactions stored side by side
    may have become visible in another order.
    """

    keys: frozenset[PublicKey]
    at: datetime
    before: int = 0
    reached: int = 0


@dataclass(frozen=True, slots=True)
class SignAgain:
    """Signs anew for the contact points of one node."""

    desks: Mapping[str, Desk]
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids
    _progress: dict[str, _Progress] = field(default_factory=dict, init=False)

    async def look(self) -> int:
        """Signs anew whatever has to be; answers how many messages that were.

        Raises:
            UnavailableError: database, list, clock or keys cannot be relied on now.
        """
        directory, now, count = self.trust.current(), self.clock.now(), 0
        for own, desk in self.desks.items():
            signer = signer_if_any(desk, directory, at=now)
            if signer is not None:
                count += await self._look(own, _Renewal(signer, directory, now))
        return count

    async def _look(self, own: str, renewal: _Renewal) -> int:
        keys, progress = frozenset(renewal.directory.signing_keys_of(own)), self._progress.get(own)
        count = 0
        if progress is None or progress.keys != keys:
            count += await self._controls(own, renewal)
            progress = _Progress(keys, renewal.now)
        elif timedelta(0) <= renewal.now - progress.at < NEWEST_EVERY:
            return 0
        found, reached = await self._messages(own, renewal, after=progress.before)
        count += found
        reached = max(reached, progress.reached)
        self._progress[own] = _Progress(keys, renewal.now, before=progress.reached, reached=reached)
        if count:
            _log.warning("messages.signed_again", contact_point=own, count=count)
        return count

    async def _messages(self, own: str, renewal: _Renewal, *, after: int) -> tuple[int, int]:
        """Answers how many were signed anew, and the place of the last one that was looked at."""
        count = 0
        while True:
            async with self.store.reading() as unit:
                found = await unit.signatures.unfinished(
                    own, after=after, codes=KEY_CODES, now=renewal.now, limit=_AT_ONCE
                )
            due = [one.message_id for one in found if renewal.is_due(one.wire_bytes, one.sent)]
            for start in range(0, len(due), _AT_A_TIME):
                async with self.store.writing() as unit:
                    count += await self._renew(unit, due[start : start + _AT_A_TIME], renewal)
                await let_others_run()
            after = found[-1].place if found else after
            if len(found) < _AT_ONCE:
                return count, after

    async def _renew(self, unit: UnitOfWork, message_ids: Sequence[str], renewal: _Renewal) -> int:
        """Looks once more, within the transaction: whoever asked for a message may have had it signed anew."""
        found = [await unit.ledger.get(message_id) for message_id in message_ids]
        due = [one for one in found if one is not None and renewal.is_due(one.wire_bytes, one.sent)]
        if due:
            await renew(unit, due, signer=renewal.signer, directory=renewal.directory, now=renewal.now, ids=self.ids)
        return len(due)

    async def _controls(self, own: str, renewal: _Renewal) -> int:
        count = after = 0
        while True:
            async with self.store.writing() as unit:
                found = await unit.signatures.waiting_controls(own, after=after, limit=_AT_ONCE)
                due = [row for _, row in found if renewal.is_due(row.wire_bytes, row.sent)]
                if due:
                    await unit.signatures.withdraw([row.message_id for row in due], renewal.now)
                    await unit.outbox.add([self._fresh(row, renewal) for row in due])
            count += len(due)
            if len(found) < _AT_ONCE:
                return count
            after = found[-1][0]

    def _fresh(self, row: OutboxRow, renewal: _Renewal) -> OutboxRow:
        wire_bytes = signed_anew(row.wire_bytes, renewal.signer)
        return replace(row, id=self.ids.new(renewal.now), wire_bytes=wire_bytes, attempts=0, last_error=None)


@dataclass(frozen=True, slots=True)
class _Renewal:
    """By whom, by which list and when it is signed anew."""

    signer: Signer
    directory: Directory
    now: datetime

    def is_due(self, wire_bytes: bytes, sent: datetime) -> bool:
        """Whether the key is all that stands against a message."""
        return signature_obstacle(wire_bytes, self.directory, sent=sent, at=self.now) in KEY_CODES
