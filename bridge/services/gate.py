"""What must hold before a message is taken from the broker: room to store it, a clock to judge it by, a database.

Otherwise it stays where it is. Consuming ends, as it does when the database is away, and begins again by itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bridge.app.receiving.outcomes import Outcome
from bridge.ports.broker import Delivery
from bridge.services.consuming import Handle


@dataclass(frozen=True, slots=True)
class ReceivingGate:
    """Each of the three raises `UnavailableError` while it does not hold.

    Attributes:
        room: there is more than the reserve on the disk.
        clock: the clock can be trusted. Use cases ask such a clock once more whenever they take the time.
        database: it can be written.
    """

    room: Callable[[], object]
    clock: Callable[[], object]
    database: Callable[[], Awaitable[None]]

    async def check(self) -> None:
        """Whether consuming may begin."""
        self.room()
        self.clock()
        await self.database()

    def guard(self, handle: Handle) -> Handle:
        """The handler, which takes no batch while there is no room for it."""

        async def guarded(batch: Sequence[Delivery]) -> list[Outcome]:
            self.room()
            return await handle(batch)

        return guarded
