"""What one member could have read of us, and what it sent: counted, and its newest messages named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KindSent:
    """Messages of one kind to contact points of the member, each recipient counted.

    Attributes:
        published: that a broker took, or that were received all the same: what the member could have read.
        uncertain: others of which no broker said whether it took them.
        first, last: when they were signed.
    """

    kind: str
    count: int
    published: int
    uncertain: int
    delivered: int
    acknowledged: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class SentThere:
    """One message to one contact point of the member; states and times as in `OutgoingRecipient`."""

    id: str
    sender: str
    recipient: str
    kind: str
    status: str
    urgency: str
    sent: datetime
    published_at: datetime | None
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    state: str
    code: str | None
    wire_bytes: bytes


@dataclass(frozen=True, slots=True)
class KindReceived:
    """Messages of one kind from contact points of the member."""

    kind: str
    count: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class ReceivedThence:
    """One message from a contact point of the member."""

    id: str
    sender: str
    contact_point: str
    kind: str
    status: str
    urgency: str
    sent: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Exposed:
    """Counts of everything, and the newest messages of both directions."""

    kinds_sent: Sequence[KindSent]
    sent: Sequence[SentThere]
    kinds_received: Sequence[KindReceived]
    received: Sequence[ReceivedThence]


class Exposures(Protocol):
    """Looks back at everything that was exchanged with one member."""

    async def of_member(self, prefix: str, *, limit: int) -> Exposed:
        """What was exchanged with the contact points of a prefix, at most so many messages of each direction."""
        ...
