"""The machine's clock, and identifiers of a given time."""

from __future__ import annotations

from datetime import UTC, datetime

from uuid_utils import uuid7


class SystemClock:
    """Tells the machine's time."""

    def now(self) -> datetime:
        """The present moment, UTC."""
        return datetime.now(UTC)


class RandomIds:
    """UUIDv7 (RFC 9562 section 5.7): the time is an argument, the rest is random."""

    def new(self, at: datetime) -> str:
        """A fresh id whose time is `at`, to the millisecond."""
        return str(uuid7(nanoseconds=round(at.timestamp() * 1000) * 1_000_000))
