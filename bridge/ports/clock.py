"""Time and fresh identifiers, as arguments instead of ambient calls."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, aware, UTC."""
        ...


class Ids(Protocol):
    """Makes identifiers."""

    def new(self, at: datetime) -> str:
        """A fresh UUIDv7 whose time is `at`, canonical lower case."""
        ...
