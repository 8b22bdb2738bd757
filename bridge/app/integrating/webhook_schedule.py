"""When a webhook is tried again, and when it is given up: data, so that a document and a test can hold it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Final

# Before each attempt, counted from the one before; standardwebhooks.com proposes these.
PAUSES: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER: Final = 0.1  # of a pause, at most, added to it: what failed together does not come back together
DISABLED_AFTER: Final = timedelta(days=5)  # without one success


def pause_after(attempts: int, draw: Callable[[], float]) -> timedelta | None:
    """How long to wait after this many failed attempts; `None`: it is given up.

    Args:
        attempts: at least one.
        draw: answers a number from 0 to 1.
    """
    if attempts >= len(PAUSES):
        return None
    return PAUSES[attempts] * (1 + JITTER * draw())
