"""What must hold before a message is taken from the broker: room, a clock to judge it by, keys to open it, a database.

Otherwise it stays where it is. Consuming ends, as it does when the database is away, and begins again by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bridge.app.receiving.outcomes import Outcome
from bridge.ports.broker import Delivery
from bridge.services.consuming import Handle


def _no_keys_needed() -> None:
    """Nothing is opened."""


@dataclass(frozen=True, slots=True)
class ReceivingGate:
    """Each of the four raises `UnavailableError` while it does not hold.

    Attributes:
        room: there is more than the reserve on the disk.
        clock: the clock can be trusted. Use cases ask such a clock once more whenever they take the time.
        database: it can be written.
        keys: the keys that open what comes can be reached; they may be on a token. A router needs none.
    """

    room: Callable[[], object]
    clock: Callable[[], object]
    database: Callable[[], Awaitable[None]]
    keys: Callable[[], object] = _no_keys_needed

    async def check(self) -> None:
        """Whether consuming may begin."""
        self.room()
        self.clock()
        self.keys()
        await self.database()

    def guard(self, handle: Handle) -> Handle:
        """The handler, which takes no batch while there is no room for it."""

        async def guarded(batch: Sequence[Delivery]) -> list[Outcome]:
            self.room()
            return await handle(batch)

        return guarded
