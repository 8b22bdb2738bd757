"""Who has fallen silent: a sender must not take silence for consent.

A peer is silent when nothing that it signed lately has come, although messages were exchanged with it: for three
heartbeats and five minutes. What counts is the signed time of the newest verified message, not when it arrived, so
that old messages that somebody sends again do not make a peer look alive.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.app.no_gap.peer_controls import can_reach
from bridge.app.no_gap.send_heartbeats import KEPT_UP_FOR
from bridge.core.directory import Directory
from bridge.core.times import format_time
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.no_gap import Pair
from bridge.ports.store.records import AuditEntry
from bridge.ports.trust import TrustSource

SILENT_ENTRY: Final = "peer.silent"
HEARD_ENTRY: Final = "peer.heard"
MISSED_HEARTBEATS: Final = 3
PATIENCE: Final = timedelta(minutes=5)

_log = structlog.get_logger()


def silent_after(every: timedelta) -> timedelta:
    """How long a peer may be silent when heartbeats come `every` so often."""
    return MISSED_HEARTBEATS * every + PATIENCE


async def heard_lately(
    unit: UnitOfWork, contact_points: Collection[str], *, directory: Directory, now: datetime
) -> Mapping[Pair, datetime]:
    """(contact point of ours, peer) -> when it was heard last, for everybody whose silence means something.

    Those are the peers that messages were exchanged with lately, that may write to us, and that we have been writing
    heartbeats to: from the first of them on their silence counts.
    """
    exchanged, seen = await unit.peers.exchanged(contact_points, now=now), await unit.peers.seen(contact_points)
    return {
        pair: known.heard_at
        for pair, known in sorted(seen.items())
        if known.heard_at is not None
        and known.heartbeat_at is not None
        and exchanged.get(pair, now - KEPT_UP_FOR) > now - KEPT_UP_FOR
        and can_reach(directory, pair[1], pair[0])
    }


@dataclass(slots=True)
class WatchPeers:
    """Raises one alarm when a peer falls silent, and takes it back when it is heard again."""

    contact_points: Collection[str]
    store: Store
    trust: TrustSource
    clock: Clock
    every: timedelta
    _since: datetime | None = field(default=None, init=False)
    _alarmed: set[Pair] | None = field(default=None, init=False)

    async def watch(self) -> None:
        """Compares with the last time. Nobody is silent before we have listened for long enough ourselves.

        Raises:
            UnavailableError: the database cannot be reached, or there is no membership list.
        """
        now = self.clock.now()
        if self._since is None or now < self._since:
            self._since = now
        limit = silent_after(self.every)
        async with self.store.reading() as unit:
            heard = await heard_lately(unit, self.contact_points, directory=self.trust.current(), now=now)
            alarmed = await self._known_alarms(unit, heard)
        listened = now - self._since > limit
        silent = {pair for pair, at in heard.items() if now - at > limit and (listened or pair in alarmed)}
        entries = [self._entry(SILENT_ENTRY, pair, heard[pair], now) for pair in sorted(silent - alarmed)] + [
            self._entry(HEARD_ENTRY, pair, heard[pair], now) for pair in sorted((alarmed - silent) & set(heard))
        ]
        if entries:
            async with self.store.writing() as unit:
                await unit.audit.add(entries)
            for entry in entries:
                _log.warning(entry.action, contact_point=entry.contact_point, **entry.detail)
        self._alarmed = silent

    async def _known_alarms(self, unit: UnitOfWork, heard: Mapping[Pair, datetime]) -> set[Pair]:
        """Those of the last time; after a start the ones that the audit log says were not taken back."""
        if self._alarmed is not None:
            return self._alarmed
        newest = {pair: await unit.audit.list(subject=_subject(pair), limit=1) for pair in heard}
        return {pair for pair, entries in newest.items() if entries and entries[0].action == SILENT_ENTRY}

    def _entry(self, action: str, pair: Pair, heard_at: datetime, now: datetime) -> AuditEntry:
        own, peer = pair
        return AuditEntry(now, own, action, own, _subject(pair), {"peer": peer, "last_heard": format_time(heard_at)})


def _subject(pair: Pair) -> str:
    return f"{pair[0]} {pair[1]}"
