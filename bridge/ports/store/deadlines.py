"""Answers that people owe: ours to what we received, and those of recipients to what we sent."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OwedAnswer:
    """A message that somebody has to acknowledge and nobody has.

    Attributes:
        contact_point: of ours: it owes the answer, or waits for it.
        peer: the other one: the sender of what we received, the recipient of what we sent.
        since: when the time to answer began: at receipt here, at the signed receipt from there.
        due_at: when it ends.
        reminded_at: when a reminder was given; `None` as long as none was.
        alarmed_at: when it was said to be overdue.
    """

    contact_point: str
    peer: str
    message_id: str
    kind: str
    status: str
    urgency: str
    since: datetime
    due_at: datetime
    reminded_at: datetime | None
    alarmed_at: datetime | None


class Deadlines(Protocol):
    """Who owes an answer. What was superseded, cancelled or closed asks for none any more, and a test for none."""

    async def ours(
        self, contact_points: Collection[str], *, due_after: datetime, limit: int = 1000
    ) -> Sequence[OwedAnswer]:
        """What these contact points received and have to answer, the soonest due first."""
        ...

    async def theirs(
        self, contact_points: Collection[str], *, since: datetime, limit: int = 1000
    ) -> Sequence[OwedAnswer]:
        """What these contact points sent, delivered after a moment and not answered, the earliest delivered first."""
        ...

    async def note_ours(self, answers: Sequence[OwedAnswer], at: datetime, *, overdue: bool) -> Sequence[OwedAnswer]:
        """Notes a reminder or an alarm; answers those for which nobody had, and which are owed still."""
        ...

    async def note_theirs(self, answers: Sequence[OwedAnswer], at: datetime, *, overdue: bool) -> Sequence[OwedAnswer]:
        """The same for what recipients owe."""
        ...
