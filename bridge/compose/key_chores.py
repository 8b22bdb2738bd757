"""What a process that hosts contact points does about their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.app.keys.destroy_spent import DestroySpent
from bridge.app.keys.sign_again import SignAgain
from bridge.app.keys.sign_waiting import SignWaiting
from bridge.ports.clock import Clock, Ids
from bridge.ports.keys import Desk
from bridge.ports.store import Store
from bridge.ports.trust import TrustSource
from bridge.services.housekeeping import Chore

LOOK_SECONDS: Final = 1.0  # nearly nothing where neither the list nor the keys have changed
DESTROY_SECONDS: Final = 600.0


def key_chores(*, desks: Mapping[str, Desk], store: Store, trust: TrustSource, clock: Clock, ids: Ids) -> list[Chore]:
    """The chores of these contact points."""
    return [
        Chore(LOOK_SECONDS, SignAgain(desks, store, trust, clock, ids).look),
        Chore(LOOK_SECONDS, SignWaiting(desks, store, trust, clock, ids).sign),
        Chore(DESTROY_SECONDS, DestroySpent(desks, store, trust, clock).look),
    ]
