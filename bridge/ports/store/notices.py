"""Notices that are to be sent to people: that something waits, never what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class NoticeRecord:
    """One notice by one channel.

    Attributes:
        channel: a name of the settings.
        occasion: why: `new`, `due`, `overdue`, `released`, `silent`.
        subject: the message or the peer it is about; stays here, it is not sent.
        next_attempt_at: `None` once it is settled.
    """

    id: str
    contact_point: str
    channel: str
    occasion: str
    subject: str
    created_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    given_up_at: datetime | None = None
    last_error: str | None = None


class Notices(Protocol):
    """The queue of notices."""

    async def add(self, notices: Sequence[NoticeRecord]) -> None:
        """Stores notices, except where one of the same channel, contact point and occasion waits for its first try."""
        ...

    async def claim(
        self, channels: Collection[str], *, now: datetime, until: datetime, limit: int
    ) -> Sequence[NoticeRecord]:
        """Takes what is due; nobody else gets it before `until`. Each counts as one attempt."""
        ...

    async def mark_sent(self, notice_id: str, at: datetime) -> None:
        """It went out."""
        ...

    async def mark_failed(self, notice_id: str, *, next_attempt_at: datetime, error: str) -> None:
        """It did not, and is tried again."""
        ...

    async def give_up(self, notice_id: str, at: datetime, *, error: str) -> None:
        """It did not, and is not tried again."""
        ...

    async def counts(self, *, since: datetime) -> Mapping[str, tuple[int, int]]:
        """Channel -> how many wait, and how many were given up since a moment."""
        ...

    async def forget(self, *, before: datetime) -> int:
        """Removes what was settled and made before a moment; answers how many."""
        ...
