"""When a certificate for the broker has to be renewed, and when people are told that it was not.

A certificate is due when a third of its life is left: 30 days of 90. Warnings stand at 60, 30, 14, 7 and 1 days, as far
as they fall into the last two thirds of its life: one that lives for a week only warns on its last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WARNING_DAYS: Final = (60, 30, 14, 7, 1)
ALARM_DAYS: Final = 14  # long after it was due: nobody is renewing it


@dataclass(frozen=True, slots=True)
class CertificateTimes:
    """Whom a certificate is for (a broker account, or a server's name), and from when until when it holds."""

    name: str
    begins: datetime
    ends: datetime

    def has_ended(self, now: datetime) -> bool:
        """Whether nobody accepts it any more."""
        return now >= self.ends

    def days_left(self, now: datetime) -> int:
        """Whole days until it ends; less than nothing when it has ended."""
        return (self.ends - now).days

    def is_due(self, now: datetime) -> bool:
        """Whether its successor should be asked for."""
        return self.ends - now <= (self.ends - self.begins) / 3

    def warning(self, now: datetime) -> int | None:
        """The lowest of the warnings that were reached, in days; `None` before the first."""
        last_two_thirds = (self.ends - self.begins) * 2 / 3
        reached = [
            days
            for days in WARNING_DAYS
            if self.ends - now <= timedelta(days=days) and timedelta(days=days) <= last_two_thirds
        ]
        return min(reached, default=None)

    def was_given_up(self, now: datetime) -> bool:
        """Whether it ended so long ago that whoever had it needs it no more."""
        return now - self.ends > timedelta(days=ALARM_DAYS)

    def is_alarming(self, now: datetime) -> bool:
        """Whether it has ended, or ends soon although it has long been due."""
        warning = self.warning(now)
        return self.has_ended(now) or (warning is not None and warning <= ALARM_DAYS)
