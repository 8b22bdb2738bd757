"""What is found by words: keyed digests of what stands in bodies, never the words themselves."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridge.ports.vault import BodyAtRest


class Source(StrEnum):
    """Where a message is: received, or sent by us. The names are those of the tables."""

    INBOX = "inbox"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Kept:
    """A message of one contact point with its body; `at` is when it arrived, or was sent by us."""

    source: Source
    position: int
    id: str
    sender: str
    kind: str
    status: str
    urgency: str
    at: datetime
    body: BodyAtRest | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a message must have: every term, and what is not `None`; `since` and `until` are about `Kept.at`."""

    terms: tuple[int, ...] = ()
    kind: str | None = None
    urgency: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class SearchIndex(Protocol):
    """The digests, and how far the messages have been gone through."""

    async def unread(self, contact_point: str, source: Source, *, limit: int) -> Sequence[Kept]:
        """The next messages behind the last one that was gone through, oldest first."""
        ...

    async def add(self, contact_point: str, source: Source, terms: Mapping[int, Collection[int]]) -> None:
        """Adds the terms of messages (by position), which count as gone through up to the last of them.

        What was erased since it was read gets none.
        """
        ...

    async def find(self, contact_point: str, source: Source, wanted: Wanted, *, limit: int) -> Sequence[Kept]:
        """The newest messages that have all of it."""
        ...
