"""What a process that hosts contact points does about peers: heartbeats, missing numbers and receipts, silence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bridge.app.no_gap.ask_for_missing import AskForMissing
from bridge.app.no_gap.repeat_unanswered import LOOKED_EVERY, RepeatUnanswered
from bridge.app.no_gap.send_heartbeats import SendHeartbeats
from bridge.app.no_gap.watch_peers import WatchPeers
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store
from bridge.ports.trust import TrustSource
from bridge.services.housekeeping import Chore

ASK_SECONDS: Final = 10.0
# Looks for each heartbeat that is to be sent: it is sent a little early rather than late.
_LOOKS: Final = 20
_MOST_SECONDS: Final = 15.0


def peer_chores(
    *,
    desks: Mapping[str, Desk],
    store: Store,
    trust: TrustSource,
    clock: Clock,
    ids: Ids,
    heartbeat_seconds: float,
) -> list[Chore]:
    """The chores of these contact points."""
    every, look = timedelta(seconds=heartbeat_seconds), min(heartbeat_seconds / _LOOKS, _MOST_SECONDS)
    sending = SendHeartbeats(desks, store, trust, clock, ids, every)
    asking = AskForMissing(desks, store, trust, clock, ids)
    watching = WatchPeers(tuple(desks), store, trust, clock, every)
    repeating = RepeatUnanswered(desks, store, trust, clock, ids)
    return [
        Chore(look, sending.send),
        Chore(min(ASK_SECONDS, look), asking.ask),
        Chore(look, watching.watch),
        Chore(LOOKED_EVERY.total_seconds(), repeating.repeat),
    ]
