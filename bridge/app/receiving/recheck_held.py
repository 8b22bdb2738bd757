"""Held messages: verified again from the first byte when list or clock may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from bridge.app.receiving.receive_message import ReceiveMessages
from bridge.app.receiving.refusing import delivery_of, quarantine, refused_entry
from bridge.app.receiving.route_message import RouteMessages
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Delivery
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.records import Refusal
from bridge.ports.trust import TrustSource

BATCH: Final = 100
HELD_AT_MOST: Final = timedelta(days=31)  # longer than any message lives; what was not judged until then goes

_log = structlog.get_logger()


class _Judge(Protocol):
    def __call__(self, batch: Sequence[Delivery], *, held: Sequence[str]) -> Awaitable[object]: ...


@dataclass(frozen=True, slots=True)
class RecheckHeld:
    """Hands held messages back to whoever held them: a contact point, or the country's router.

    It looks only at what can be judged in this process: what it looks at counts as tried, for other processes too.
    """

    store: Store
    clock: Clock
    receivers: Mapping[str, ReceiveMessages]
    router: RouteMessages | None
    every: timedelta
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False, repr=False)

    async def recheck(self, *, at_once: bool = False) -> int:
        """Verifies every due held message once; answers how many were looked at.

        Due is what was not tried for `every`, or `at_once` everything, because there is a reason to try now.

        What is still held stays where it is, with its age, until it is too old: then it is quarantined. A message whose
        judging fails for a reason nobody foresaw is logged and stays, and the others are judged.

        Raises:
            UnavailableError: database or broker cannot be reached.
        """
        judges: dict[str | None, _Judge] = {holder: receiver.receive for holder, receiver in self.receivers.items()}
        if self.router is not None:
            judges[None] = self.router.route  # last: it needs the broker, which may be away
        every = timedelta(0) if at_once else self.every
        async with self._turn:  # nothing is judged by two at the same time
            return sum([await self._recheck_of(holder, judge, every) for holder, judge in judges.items()])

    async def _recheck_of(self, holder: str | None, judge: _Judge, every: timedelta) -> int:
        now, looked_at = self.clock.now(), 0
        while held := await self._release(holder, now, every):
            looked_at += len(held)
            await self._hand_back(judge, held)
        while await self._give_up(holder, now) == BATCH:
            pass
        return looked_at

    async def _release(self, holder: str | None, now: datetime, every: timedelta) -> Sequence[Refusal]:
        async with self.store.writing() as unit:
            return await unit.refusals.release_held([holder], limit=BATCH, not_tried_since=now - every, now=now)

    async def _hand_back(self, judge: _Judge, held: Sequence[Refusal]) -> None:
        try:
            await judge(
                [delivery_of(refusal, refusal.wire_bytes) for refusal in held], held=[refusal.id for refusal in held]
            )
        except UnavailableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not keep the others held
            if len(held) == 1:
                _log.error("held.fault", error=type(error).__name__, id=held[0].id, queue=held[0].queue)
                return
            for refusal in held:
                await self._hand_back(judge, [refusal])

    async def _give_up(self, holder: str | None, now: datetime) -> int:
        """Quarantines what was held for too long, under its last code; answers how many."""
        async with self.store.writing() as unit:
            aged = await unit.refusals.held_too_long([holder], since_before=now - HELD_AT_MOST, limit=BATCH)
            await unit.refusals.drop_held([refusal.id for refusal in aged])
            new = frozenset(await quarantine(unit, aged))
            if holder is not None and new:
                given_up = [refusal for refusal in aged if refusal.id in new]
                await unit.audit.add([refused_entry(one, contact_point=holder, at=now) for one in given_up])
        return len(aged)


class RecheckOnNewList:
    """Has everything that is held verified again as soon as there is another membership list, whoever refreshed it.

    A list that was only confirmed anew counts as another one: it ends `E_TRUST_STALE`.
    """

    def __init__(self, recheck: RecheckHeld, trust: TrustSource) -> None:
        self._recheck = recheck
        self._trust = trust
        self._judged_by: Directory | None = None

    async def look(self) -> None:
        """To be called every second or so: costs nothing while the list is the same.

        Raises:
            UnavailableError: database or broker cannot be reached; what was not judged is due at its ordinary pace.
        """
        try:
            directory = self._trust.current()
        except UnavailableError:
            return  # whoever refreshes says so
        before, self._judged_by = self._judged_by, directory
        if before is not None and directory is not before:
            await self._recheck.recheck(at_once=True)
