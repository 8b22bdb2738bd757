"""What an operator may see of the traffic: who, when, which state. Nothing here can carry a word of a message.

A day's rows are found by the time in their ids, so that a look costs what the day had, not what the ledger has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SentFact:
    """One message to one recipient: when the broker took it, when its receipt came, when a person answered.

    `reply_within_s` is within how many seconds of delivery a person is to answer; `None`: nobody is.
    """

    recipient: str
    state: str
    made_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    acknowledged_at: datetime | None
    reply_within_s: int | None


@dataclass(frozen=True, slots=True)
class ReceivedFact:
    """One message that arrived, from whom and when."""

    sender: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RefusedGroup:
    """What was refused for one reason: how many, how often tried again, since when, and who they claim to be from."""

    code: str
    count: int
    replayed: int
    returned: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """How many there ever were: places given out, which nothing takes back."""

    received: int
    made: int
    refused: int


class Operations(Protocol):
    """Facts about the traffic of a node. No method selects a body, a signed text, a title or a reason."""

    async def sent_since(self, since: datetime, *, limit: int) -> Sequence[SentFact]:
        """The newest messages that were made since, one entry a recipient, newest first."""
        ...

    async def received_since(self, since: datetime, *, limit: int) -> Sequence[ReceivedFact]:
        """What arrived since and was made since, newest first."""
        ...

    async def totals(self) -> Totals:
        """How many messages were received, made and refused."""
        ...

    async def refused_groups(self) -> Sequence[RefusedGroup]:
        """The quarantine by reason, most entries first."""
        ...
