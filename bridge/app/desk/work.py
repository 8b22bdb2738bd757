"""Who has an item in hand, and whether it is done with: taken, given back, closed, open again; each is logged.

Taking is a note for colleagues, not a lock: whoever is on duty may answer, and may take an item over. An item is closed
after it was acknowledged, never instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.core.errors import BadInputError, RefusedError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.desk import DeskItem, Group, ItemId
from bridge.ports.store.records import AuditEntry

_Step = Callable[[UnitOfWork, DeskItem], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WorkOnItems:
    """Notes for the contact points of one node who works on what."""

    store: Store
    clock: Clock

    async def take(self, contact_point: str, item: ItemId, *, officer: str, instead_of: str = "") -> None:
        """The officer has it from now on. `instead_of`: who had it when the officer looked; nobody.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`.
            RefusedError: `E_TAKEN_MEANWHILE`.
        """

        async def step(unit: UnitOfWork, found: DeskItem) -> None:
            if found.taken_by not in (None, officer, instead_of):
                raise RefusedError("E_TAKEN_MEANWHILE", f"{found.taken_by} has {found.kind} {found.id} in hand by now")
            await unit.desk.take(contact_point, item, officer, self.clock.now())

        await self._do("message.taken", contact_point, item, officer, step)

    async def give_back(self, contact_point: str, item: ItemId, *, officer: str) -> None:
        """Nobody has it in hand.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`.
            RefusedError: `E_NOT_TAKEN`, the officer does not have it.
        """

        async def step(unit: UnitOfWork, found: DeskItem) -> None:
            if found.taken_by != officer:
                who = f"{found.taken_by} has" if found.taken_by else "nobody has"
                raise RefusedError(
                    "E_NOT_TAKEN", f"{who} {found.kind} {found.id} in hand; only who has it gives it back"
                )
            await unit.desk.take(contact_point, item, None, self.clock.now())

        await self._do("message.given_back", contact_point, item, officer, step)

    async def close(self, contact_point: str, item: ItemId, *, officer: str) -> None:
        """It is done with.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`.
            RefusedError: `E_NOT_IN_PROGRESS`, it was not acknowledged, or is closed.
        """

        async def step(unit: UnitOfWork, found: DeskItem) -> None:
            if found.group is not Group.IN_PROGRESS:
                sentence = f"{found.kind} {found.id} is not in progress; an item is closed after it was acknowledged"
                raise RefusedError("E_NOT_IN_PROGRESS", sentence)
            await unit.desk.close(contact_point, item, officer, self.clock.now())

        await self._do("message.closed", contact_point, item, officer, step)

    async def reopen(self, contact_point: str, item: ItemId, *, officer: str) -> None:
        """It was not done with after all.

        Raises:
            BadInputError: `E_UNKNOWN_MESSAGE`.
            RefusedError: `E_NOT_CLOSED`.
        """

        async def step(unit: UnitOfWork, found: DeskItem) -> None:
            if found.closed_at is None:
                raise RefusedError("E_NOT_CLOSED", f"{found.kind} {found.id} is not closed")
            await unit.desk.close(contact_point, item, None, self.clock.now())

        await self._do("message.reopened", contact_point, item, officer, step)

    async def _do(self, action: str, contact_point: str, item: ItemId, officer: str, step: _Step) -> None:
        async with self.store.writing() as unit:
            found = await unit.desk.lock(contact_point, item)
            if found is None:
                raise BadInputError("E_UNKNOWN_MESSAGE", f"no message {item[1]} from {item[0]} in this inbox")
            await step(unit, found)
            entry = AuditEntry(self.clock.now(), officer, action, contact_point, item[1], {"from": item[0]})
            await unit.audit.add([entry])
