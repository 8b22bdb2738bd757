"""What a process that hosts contact points does for their officers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from bridge.app.desk.deadlines import WatchDeadlines
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.services.housekeeping import Chore

WATCH_SECONDS: Final = 5.0


def desk_chores(*, contact_points: Collection[str], store: Store, clock: Clock) -> list[Chore]:
    """The chores of these contact points."""
    return [Chore(WATCH_SECONDS, WatchDeadlines(contact_points, store, clock).watch)]
