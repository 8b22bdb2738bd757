"""`ncp-bridge` whose clock is ahead by the days in `NCP_TEST_DAYS_AHEAD`: weeks pass between two starts of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta

from bridge.adapters.system import SystemClock
from bridge.cli.main import run

DAYS_AHEAD = "NCP_TEST_DAYS_AHEAD"


def ahead(days: float) -> Callable[[SystemClock], datetime]:
    """What replaces `SystemClock.now`."""
    tell = SystemClock.now

    def now(clock: SystemClock) -> datetime:
        return tell(clock) + timedelta(days=days)

    return now


if __name__ == "__main__":
    SystemClock.now = ahead(float(os.environ[DAYS_AHEAD]))  # type: ignore[method-assign]  # time is what it is about
    run()
