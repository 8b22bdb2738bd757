"""Whether notices to people get out."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.app.desk.notices import GIVEN_UP_AFTER
from bridge.ports.store import Store


async def check_notices(store: Store, *, channels: Collection[str], now: datetime) -> Check:
    """One finding: it fails where one was given up within the last day."""
    async with store.reading() as unit:
        counts = await unit.notices.counts(since=now - GIVEN_UP_AFTER)
    said = [f"{name}: {waiting} waiting, {lost} given up" for name, (waiting, lost) in sorted(counts.items())]
    if any(lost for _, lost in counts.values()):
        return Check("notices", ok=False, detail="; ".join(said), state=states.NOTICES_UNSENT)
    return Check("notices", ok=True, detail="; ".join(said) or f"none yet, by {', '.join(sorted(channels))}")
