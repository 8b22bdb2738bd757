"""Tells open pages that something has changed, and of what kind: never what it says.

One watcher for the process looks at the store's mark five times a second, which costs nothing while nobody writes, and
reads what the audit log has got since. Each open page's stream gets what its person may know of: of their contact
point, by their permissions.

Rules:
1. News is a topic and an id that the person could see in a list. Whoever wants to know more asks for a page, and goes
   through the door for it.
2. News may be told twice, and is never lost: a stream that cannot keep up, or comes back after a while, is told that
   anything may have changed.
3. Listeners are bounded, and so is what waits for each.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Final

import structlog

from bridge.app.accounts.sign_in import Person
from bridge.app.desk.deadlines import is_due, is_overdue, owed_answers
from bridge.console.news import ANYTHING, BROKER, SENT, Listener, News, Waiting, news_of
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork

LOOK_SECONDS: Final = 0.2
BROKER_SECONDS: Final = 1.0
SLOW_SECONDS: Final = 5.0  # for what changes with time alone: deadlines, and the broker
SENT_SECONDS: Final = 0.5
LOOKED_BACK: Final = 200  # positions: one that became visible late is told late, not never
NEWEST_SENT: Final = 50
MOST_LISTENERS: Final = 200
MOST_OF_A_SESSION: Final = 8
MOST_MISSED: Final = 500
MOST_AT_ONCE: Final = 2000

_log = structlog.get_logger()


class Live:
    """The watcher, and who listens to it.

    `is_receiving` says whether the broker is there; `None` while nobody has asked.

    Args:
        store: of the node.
        clock: for deadlines.
        hosted: the contact points.
        receives: whether the running processes have the broker; asked now and then while somebody listens.
    """

    def __init__(
        self, store: Store, clock: Clock, hosted: Collection[str], receives: Callable[[], Awaitable[bool]]
    ) -> None:
        self._store, self._clock, self._hosted, self._receives = store, clock, hosted, receives
        self._listeners: set[Listener] = set()
        self._mark: object = None
        self._seen: set[int] = set()
        self._position: int | None = None
        self._sent: dict[str, Mapping[str, str]] = {}
        self._waiting: dict[str, Waiting] = {}
        self._slow_at = self._sent_at = 0.0
        self._sent_is_stale = self._has_more = self._is_unsure = False
        self._asked_at = -SLOW_SECONDS
        self.is_receiving: bool | None = None

    def waiting_at(self, contact_point: str | None) -> Waiting | None:
        """What waits at a contact point, as of the last look; `None` before the first."""
        return self._waiting.get(contact_point) if contact_point is not None else None

    def listen(self, person: Person, session: bytes) -> Listener | None:
        """A new stream; `None` where there are too many."""
        of_session = sum(one.session == session for one in self._listeners)
        if len(self._listeners) >= MOST_LISTENERS or of_session >= MOST_OF_A_SESSION:
            return None
        listener = Listener(person, session)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """It listens no more."""
        self._listeners.discard(listener)

    async def missed(self, position: int) -> Sequence[News]:
        """What was told since a position that a stream got as far as."""
        async with self._store.reading() as unit:
            found = await unit.happenings.after(position - LOOKED_BACK, limit=MOST_MISSED)
            if len(found) >= MOST_MISSED:
                return [News(ANYTHING)]
            return await news_of(unit, found)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until `stop` is set; then every stream ends, so that the server need not wait for them."""
        async with asyncio.TaskGroup() as group:
            group.create_task(_repeat(stop, LOOK_SECONDS, self._look))
            # A process that does not answer is waited for, and news must not be.
            group.create_task(_repeat(stop, BROKER_SECONDS, self._look_at_broker))
        for listener in self._listeners:
            listener.close()

    async def _look(self) -> None:
        now, mark = asyncio.get_running_loop().time(), self._store.mark()
        has_changed, is_slow = mark != self._mark or self._is_unsure, now - self._slow_at >= SLOW_SECONDS
        self._sent_is_stale |= has_changed
        looks_at_sent = self._sent_is_stale and now - self._sent_at >= SENT_SECONDS
        if not (has_changed or is_slow or looks_at_sent):
            return
        was_unsure, self._is_unsure = self._is_unsure, True  # until this look has told everything
        async with self._store.reading() as unit:
            news = await self._follow(unit) if has_changed else []
            if news or is_slow:
                await self._look_at_deadlines(unit)
            self._tell([News(ANYTHING), *news] if was_unsure else news)
            if looks_at_sent:
                self._sent_is_stale, self._sent_at = False, now
                self._tell(await self._look_at_sent(unit))
        if is_slow:
            self._slow_at = now
        self._mark, self._is_unsure = None if self._has_more else mark, False

    async def _follow(self, unit: UnitOfWork) -> list[News]:
        is_first = self._position is None
        position = await unit.happenings.newest() if self._position is None else self._position
        found = await unit.happenings.after(position - LOOKED_BACK, limit=MOST_AT_ONCE)
        self._has_more = len(found) == MOST_AT_ONCE
        fresh = [] if is_first else [one for one in found if one.position not in self._seen]
        self._seen = {one.position for one in found}
        self._position = max(position, *self._seen) if self._seen else position
        return await news_of(unit, fresh)

    async def _look_at_sent(self, unit: UnitOfWork) -> list[News]:
        news = []
        for own in self._hosted:
            states = await unit.happenings.sent_states(own, newest=NEWEST_SENT)
            before = self._sent.get(own, states)
            self._sent[own] = states
            news += [News(SENT, own, one) for one, state in states.items() if before.get(one) != state]
        return news

    async def _look_at_deadlines(self, unit: UnitOfWork) -> None:
        now = self._clock.now()
        for own in self._hosted:
            owed = await owed_answers(unit, [own], now=now)
            self._waiting[own] = Waiting(
                newest=await unit.happenings.newest_arrival(own),
                due=sum(is_due(one, now) for one in owed.ours),
                overdue=sum(is_overdue(one, now) for one in owed.ours),
                awaited_overdue=sum(is_overdue(one, now) for one in owed.theirs),
                handovers=len(await unit.handovers.waiting(own)),
            )

    async def _look_at_broker(self) -> None:
        now = asyncio.get_running_loop().time()
        if not self._listeners:
            self.is_receiving, self._asked_at = None, -SLOW_SECONDS
        elif now - self._asked_at >= SLOW_SECONDS:
            self._asked_at = now
            before, self.is_receiving = self.is_receiving, await self._receives()
            self._tell([News(BROKER)] if before != self.is_receiving else [])

    def _tell(self, news: Sequence[News]) -> None:
        for one in news:
            for listener in self._listeners:
                if listener.may_know(one):
                    listener.tell(one)


async def _repeat(stop: asyncio.Event, seconds: float, look: Callable[[], Awaitable[None]]) -> None:
    """Looks again and again; what fails is said once, and looked at again."""
    told = ""
    while not stop.is_set():
        try:
            await look()
            told = ""
        except UnavailableError as error:
            if told != error.code:
                _log.warning("news.unavailable", code=error.code, detail=error.message)
            told = error.code
        except Exception as error:  # noqa: BLE001 - a service that ends takes the whole process with it
            fault = type(error).__name__
            if told != fault:
                _log.error("news.failed", error=fault)
            told = fault
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stop.wait()
