"""Whether this machine's clock agrees with what others have signed: the membership list, and messages of our peers.

A clock that is behind refuses nothing for good: what seems to come from the future is held and judged again. So it is
named and nothing stops for it; whoever confirms the list must not be able to stop every country by a wrong clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bridge.app import node_states as states
from bridge.app.check_node import Check
from bridge.app.durations import in_words
from bridge.core.directory import Directory
from bridge.core.times import format_time

TOLERANCE: Final = timedelta(seconds=120)  # wire-format, step 12


def check_clock(directory: Directory, *, now: datetime) -> Check:
    """One finding on the clock by the membership list."""
    behind = directory.signed_at - now
    if behind > TOLERANCE:
        detail = f"this clock is {in_words(behind)} behind the membership list of {format_time(directory.signed_at)}"
        return Check("clock", ok=False, detail=detail, state=states.CLOCK_BEHIND)
    return Check("clock", ok=True, detail="not behind the membership list")
