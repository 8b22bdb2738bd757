"""The queues of a node: what the broker says of them, and how long what waits has waited, which it does not say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.core.errors import UnavailableError
from bridge.ports.broker import QueueFigures
from bridge.ports.clock import Clock
from bridge.ports.store import Store


@dataclass(frozen=True, slots=True)
class WaitingFor:
    """What waits in our own outbox for one place.

    Attributes:
        destination: a country's prefix, or a contact point of ours.
        last_error: why the last attempt failed; `None` where nobody has tried or the last one went on.
    """

    destination: str
    lane: str
    count: int
    oldest: datetime
    last_error: str | None


@dataclass(frozen=True, slots=True)
class QueuesSeen:
    """One look.

    Attributes:
        queues: of this node at the broker; none where it could not be asked, then `fault` says why.
        is_complete: with what is in work and how fast; else only what is ready, and who consumes.
        waiting: in our own outbox, oldest first.
    """

    at: datetime
    queues: Sequence[QueueFigures]
    is_complete: bool
    fault: UnavailableError | None
    waiting: Sequence[WaitingFor]

    @property
    def as_json(self) -> Mapping[str, object]:
        """For `--json`."""
        return {
            "queues": [
                {
                    "name": one.name,
                    "ready": one.ready,
                    "unacknowledged": one.unacknowledged,
                    "consumers": one.consumers,
                    "in_per_second": one.in_per_second,
                    "out_per_second": one.out_per_second,
                }
                for one in self.queues
            ],
            "complete": self.is_complete,
            "broker": None if self.fault is None else {"code": self.fault.code, "message": self.fault.message},
            "waiting": [
                {
                    "destination": one.destination,
                    "lane": one.lane,
                    "count": one.count,
                    "oldest_seconds": round((self.at - one.oldest).total_seconds()),
                    "last_error": one.last_error,
                }
                for one in self.waiting
            ],
        }


@dataclass(frozen=True, slots=True)
class LookAtQueues:
    """Asks broker and database.

    Attributes:
        ask: the figures, by whatever account may look; raises `UnavailableError`.
        is_complete: whether that account sees everything.
    """

    store: Store
    clock: Clock
    ask: Callable[[], Awaitable[Sequence[QueueFigures]]]
    is_complete: bool

    async def look(self) -> QueuesSeen:
        """Never raises for a broker that does not answer: what waits is told all the same."""
        queues: Sequence[QueueFigures] = ()
        fault = None
        try:
            queues = await self.ask()
        except UnavailableError as error:
            fault = error
        async with self.store.reading() as unit:
            rows = await unit.outbox.waiting()
        waiting = [
            WaitingFor(
                one.country if one.relay == "publisher" else one.routing_key.removesuffix(f".{one.lane}"),
                one.lane,
                one.count,
                one.oldest,
                one.last_error,
            )
            for one in sorted(rows, key=lambda row: row.oldest)
        ]
        return QueuesSeen(self.clock.now(), queues, self.is_complete and fault is None, fault, waiting)
