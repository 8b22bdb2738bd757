"""Heartbeats: every peer hears regularly which numbers we have used towards it, so that it can tell silence from loss.

Promises:
1. Whoever a contact point exchanged a sealed message with in the last 31 days hears from it every `every`, a little
   earlier at random, whether there is news or not: silence is the alarm.
2. While a heartbeat waits in the outbox, no other is put beside it: at most one waits for each peer. Sent ones are
   forgotten an hour later.
3. A peer that has been silent for long is written to less often, in proportion to its silence and every six hours at
   least: weeks of heartbeats must not pile up in front of somebody who is away.
4. While no key of ours can sign there are none: that is silence, and an alarm for the peer, too.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.keys.choosing import signer_if_any, signer_of
from bridge.app.no_gap.peer_controls import HEARTBEAT_LIFETIME, PeerControls, can_reach
from bridge.app.no_gap.resending import ANSWER_AGAIN_AFTER, SHOWN_FOR
from bridge.core.ids import prefix_of
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.no_gap import PeerSeen
from bridge.ports.store.records import OutboxRow
from bridge.ports.trust import TrustSource

KEPT_UP_FOR: Final = timedelta(days=31)
SELDOM: Final = timedelta(hours=6)
_EARLIEST: Final = 0.8  # of the interval
_OF_SILENCE: Final = 0.1
# One transaction holds up receiving for some 20 ms; the others are sent at the next turn.
AT_ONCE: Final = 100
_NEVER: Final = PeerSeen(None, None)


@dataclass(frozen=True, slots=True)
class SendHeartbeats:
    """Sends for the contact points of one node."""

    desks: Mapping[str, Desk]
    store: Store
    trust: TrustSource
    clock: Clock
    ids: Ids
    every: timedelta

    async def send(self) -> int:
        """Puts the heartbeats that are due into the outbox, at most `AT_ONCE`; answers how many.

        Raises:
            UnavailableError: the database cannot be reached, or there is no membership list.
        """
        now = self.clock.now()
        async with self.store.reading() as unit:
            if not await self._due(unit, now):
                return 0
        sent = 0
        async with self.store.writing() as unit:
            await unit.peers.take_turn()
            for own, peers in (await self._due(unit, now)).items():
                await unit.outbox.add(await self._heartbeats(unit, own, peers, now))
                await unit.peers.note_heartbeats(own, peers, now)
                sent += len(peers)
            await unit.peers.forget_heartbeats(made_before=now - HEARTBEAT_LIFETIME)
            await unit.asked_again.forget(
                answered_before=now - SHOWN_FOR, settled_answered_before=now - ANSWER_AGAIN_AFTER
            )
        return sent

    async def _heartbeats(self, unit: UnitOfWork, own: str, peers: Sequence[str], now: datetime) -> list[OutboxRow]:
        directory, counters = self.trust.current(), await unit.peers.counters(own, peers)
        controls = PeerControls(own, signer_of(self.desks[own], directory, at=now), directory, now, self.ids)
        return [controls.heartbeat(peer, counters) for peer in peers]

    async def _due(self, unit: UnitOfWork, now: datetime) -> Mapping[str, Sequence[str]]:
        """Contact point of ours -> the peers that are to hear from it now, those that never did first."""
        directory, seen = self.trust.current(), await unit.peers.seen(self.desks)
        signing = {own for own, desk in self.desks.items() if signer_if_any(desk, directory, at=now) is not None}
        exchanged = await unit.peers.exchanged(self.desks, now=now)
        waiting = {own: await unit.peers.countries_with_waiting_heartbeats(own) for own in self.desks}
        due = [
            (seen.get((own, peer), _NEVER).heartbeat_at, own, peer)
            for (own, peer), at in exchanged.items()
            if own in signing
            and at > now - KEPT_UP_FOR
            and self._is_due(seen.get((own, peer), _NEVER), now)
            and prefix_of(peer) not in waiting[own]
            and can_reach(directory, own, peer)
        ]
        of_desk: dict[str, list[str]] = defaultdict(list)
        for _, own, peer in sorted(due, key=lambda one: (one[0] is not None, one))[:AT_ONCE]:
            of_desk[own].append(peer)
        return of_desk

    def _is_due(self, seen: PeerSeen, now: datetime) -> bool:
        """A heartbeat later than now was sent by a wrong clock, and is repeated."""
        if seen.heartbeat_at is None or seen.heartbeat_at > now:
            return True
        silence = now - (seen.heard_at or seen.heartbeat_at)
        interval = max(self.every, min(silence * _OF_SILENCE, SELDOM))
        return now - seen.heartbeat_at >= interval * random.uniform(_EARLIEST, 1.0)  # noqa: S311 - jitter, not a secret
