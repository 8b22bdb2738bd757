"""Publishing to and consuming from the broker, as the services see it.

Deliveries are settled exactly once. Every publish has an outcome: confirmed by the broker, or unroutable, refused or
unknown, and then its row stays and is published again; the receiver absorbs what arrives twice. Only a broker that
cannot be reached at all raises.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from bridge.core.verification.hints import Hints


@dataclass(frozen=True, slots=True)
class Publication:
    """One publish: the same signed bytes may go out in several, each with its own `row_id`."""

    row_id: str
    exchange: str
    routing_key: str
    wire_bytes: bytes
    kind: str
    sender: str
    message_id: str
    sent: datetime


class PublishOutcome(Enum):
    """What became of one publish."""

    CONFIRMED = "confirmed"
    UNROUTABLE = "unroutable"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Publisher(Protocol):
    """Publishes persistent, mandatory, confirmed."""

    async def publish(self, batch: Sequence[Publication]) -> Sequence[PublishOutcome]:
        """Publishes all, within a deadline, and reports one outcome each, in order; never raises for one of them.

        Raises:
            UnavailableError: there is no connection at all.
        """
        ...


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """What the broker says of one queue; `None` for what it did not say, everywhere where it is not there."""

    name: str
    ready: int | None = None
    consumers: int | None = None
    unacknowledged: int | None = None
    in_per_second: float | None = None
    out_per_second: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came out of a queue; `tag` settles it."""

    tag: int
    queue: str
    wire_bytes: bytes
    hints: Hints
    redelivered: bool


class Consumer(Protocol):
    """Hands out deliveries in batches and settles them."""

    async def next_batch(self) -> Sequence[Delivery]:
        """At least one delivery, urgent lanes first, at most the batch size.

        Raises:
            UnavailableError: the connection or a consumer was lost; what was handed out can no longer be settled.
        """
        ...

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Tells the broker that these are stored here. Lost connections are absorbed: they come again."""
        ...

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Returns what was not begun to the queue."""
        ...
