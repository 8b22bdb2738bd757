"""Channels by which people are told, outside the console, that something waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """What a channel may say: that something waits and where, never what.

    Attributes:
        id: stays the same however often it is tried, so that a receiver can tell a repetition.
        occasion: a code: `new`, `due`, `overdue`, `released`, `silent`.
        sentence: the same for people.
        link: where the console is; `None` where the settings have none.
    """

    id: str
    contact_point: str
    occasion: str
    at: datetime
    sentence: str
    link: str | None


class NoticeChannel(Protocol):
    """One way to people."""

    async def send(self, notice: Notice) -> None:
        """Hands a notice over, within a bounded time.

        Raises:
            UnavailableError: the other side did not take it (`E_NOTICE_EMAIL`, `E_NOTICE_WEBHOOK`, `E_SECRET_FILE`).
        """
        ...
