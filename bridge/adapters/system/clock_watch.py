"""Notices that the machine's clock was set, and keeps time from being used for a verdict while it may be wrong.

The wall clock is compared with the time since boot, which nobody can set (`CLOCK_BOOTTIME`, clock_gettime(2)). What the
difference was when the process began is taken for right, until it has changed by more than `MOST_STEP`: a message
judged by a clock hours ahead would be refused as expired, for good.

A step ends in one of three ways:
1. The clock is set back to within the limit.
2. The membership list proves that the clock was wrong before, and does not contradict it now: it was confirmed at a
   moment that the old clock has not reached yet. That is accepted at once.
3. It stays for `ACCEPTED_AFTER`: somebody has corrected a clock that was wrong before.

A process that begins under a wrong clock cannot see that here; only the membership list and messages from the future
can show it (`bridge.app.checks.check_clock`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.app.checks.durations import span_in_words
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock

MOST_STEP: Final = timedelta(minutes=2)  # as much as a message may be ahead (wire-format: step 12)
ACCEPTED_AFTER: Final = timedelta(minutes=10)
_MOST_SECONDS: Final = MOST_STEP.total_seconds() + 0.001  # what floats lose

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ClockStep:
    """A step that is not accepted yet.

    Attributes:
        ahead_by: how far the clock is from where it would be; negative when it was set back.
        lasted: how long it has.
    """

    ahead_by: timedelta
    lasted: timedelta


def _since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ClockWatch:
    """Implements `Clock`: tells the time while it can be trusted.

    Args:
        wall: the clock that is watched.
        since_boot: seconds that only grow, suspended or not; a test gives others.
        confirmed_at: when the membership list was last confirmed; it may raise `UnavailableError`.
    """

    def __init__(
        self,
        wall: Clock,
        *,
        since_boot: Callable[[], float] = _since_boot,
        confirmed_at: Callable[[], datetime] | None = None,
    ) -> None:
        self._wall, self._since_boot, self._confirmed_at = wall, since_boot, confirmed_at
        self._began = wall.now().timestamp() - since_boot()  # by the wall clock, when the machine booted
        self._first_seen: float | None = None
        self._seen: timedelta = timedelta(0)

    def now(self) -> datetime:
        """The present moment.

        Raises:
            UnavailableError: `E_CLOCK`, the clock was set and that is not accepted yet.
        """
        now = self._wall.now()
        step = self._look(now)
        if step is not None:
            raise UnavailableError("E_CLOCK", sentence(step))
        return now

    @property
    def step(self) -> ClockStep | None:
        """The step that is not accepted yet."""
        return self._look(self._wall.now())

    def is_trusted(self) -> bool:
        """Whether the clock may be used for a verdict."""
        return self.step is None

    async def look(self) -> None:
        """Looks, so that a step is noticed and its time runs although nobody asks."""
        self._look(self._wall.now())

    def _look(self, now: datetime) -> ClockStep | None:
        boot_seconds = self._since_boot()
        ahead_seconds = now.timestamp() - boot_seconds - self._began  # in floats: asked for at every message
        if abs(ahead_seconds) <= _MOST_SECONDS:
            if self._first_seen is not None:
                self._accept(0.0, "is back")
            return None
        return self._judge(timedelta(seconds=round(ahead_seconds, 3)), boot_seconds, now)

    def _judge(self, ahead_by: timedelta, boot_seconds: float, now: datetime) -> ClockStep | None:
        if self._first_seen is None or abs(ahead_by - self._seen) > MOST_STEP:  # the first, or another one
            self._first_seen, self._seen = boot_seconds, ahead_by
            _log.error("clock.stepped", code="E_CLOCK", seconds=round(ahead_by.total_seconds()))
        lasted = timedelta(seconds=boot_seconds - self._first_seen)
        if lasted >= ACCEPTED_AFTER:
            self._accept(ahead_by.total_seconds(), "has stayed")
            return None
        if self._is_proven(now, ahead_by):
            self._accept(ahead_by.total_seconds(), "agrees with the membership list")
            return None
        return ClockStep(ahead_by, lasted)

    def _is_proven(self, now: datetime, ahead_by: timedelta) -> bool:
        if self._confirmed_at is None:
            return False
        try:
            confirmed_at = self._confirmed_at()
        except UnavailableError:
            return False
        return now - ahead_by + MOST_STEP < confirmed_at <= now + MOST_STEP

    def _accept(self, ahead_seconds: float, reason: str) -> None:
        self._began += ahead_seconds
        self._first_seen, self._seen = None, timedelta(0)
        _log.warning("clock.trusted", reason=reason, seconds=round(ahead_seconds))


def sentence(step: ClockStep) -> str:
    """What an operator reads."""
    direction = "ahead" if step.ahead_by > timedelta(0) else "back"
    return (
        f"this clock was set {direction} by {span_in_words(abs(step.ahead_by))}; "
        "nothing is judged until it is right again, "
        f"or has stayed so for another {span_in_words(ACCEPTED_AFTER - step.lasted)}"
    )
