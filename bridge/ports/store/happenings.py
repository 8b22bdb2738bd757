"""What has happened at the node's contact points since somebody looked last: the audit log, followed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Happening:
    """An entry of the audit log, at its place. `detail` never holds body text."""

    position: int
    action: str
    actor: str
    contact_point: str | None
    subject: str | None
    detail: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a received message is about.

    Attributes:
        position: its place in the inbox.
        awaits_answer: an officer is to acknowledge it; nobody is where it is a test.
        replaces: the message that it takes the place of.
        answers: the message of ours that it answers.
    """

    position: int
    contact_point: str
    sender: str
    message_id: str
    awaits_answer: bool
    replaces: str | None
    answers: str | None


class Happenings(Protocol):
    """Positions count up, but on PostgreSQL one may become visible after a higher one: followers look back a little."""

    async def newest(self) -> int:
        """The position of the newest entry of the audit log; 0 where there is none."""
        ...

    async def after(self, position: int, *, limit: int = 1000) -> Sequence[Happening]:
        """Entries behind a position, oldest first, without those that only say that something was read."""
        ...

    async def arrivals(self, keys: Collection[tuple[str, str]]) -> Sequence[Arrival]:
        """What these (contact point, message id) are."""
        ...

    async def newest_arrival(self, contact_point: str) -> int:
        """The place in the inbox of what arrived last; 0 where nothing has."""
        ...

    async def count_arrivals(self, contact_point: str, *, after: int) -> int:
        """How many messages that an officer has to answer arrived behind a place; a hundred at most."""
        ...

    async def sent_states(self, contact_point: str, *, newest: int) -> Mapping[str, str]:
        """Message id -> what became of it at its recipients, in one word to compare, for the newest ones sent."""
        ...

    async def progress(self, name: str) -> int | None:
        """How far a follower has come; `None` for a new one."""
        ...

    async def set_progress(self, name: str, position: int) -> None:
        """Notes it."""
        ...
