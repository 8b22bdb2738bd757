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
from dataclasses import dataclass, field
from typing import Final

import structlog

from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import Person
from bridge.app.desk.deadlines import is_due, is_overdue, owed_answers
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.happenings import Happening

LOOK_SECONDS: Final = 0.2
SLOW_SECONDS: Final = 5.0  # for what changes with time alone: deadlines, and the broker
SENT_SECONDS: Final = 0.5
LOOKED_BACK: Final = 200  # positions: one that became visible late is told late, not never
NEWEST_SENT: Final = 50
MOST_LISTENERS: Final = 200
MOST_OF_A_SESSION: Final = 8
MOST_WAITING: Final = 100
MOST_MISSED: Final = 500
MOST_AT_ONCE: Final = 2000

ANYTHING: Final = "anything"
SESSION: Final = "session"
INBOX: Final = "inbox"
MESSAGE: Final = "message"
SENT: Final = "sent"
DRAFT: Final = "draft"
ANSWERS: Final = "answers"
HANDOVER: Final = "handover"
QUEUES: Final = "queues"
BROKER: Final = "broker"

_NEEDED: Final[Mapping[str, frozenset[Permission]]] = {
    INBOX: frozenset({Permission.READ_MESSAGES}),
    MESSAGE: frozenset({Permission.READ_MESSAGES}),
    SENT: frozenset({Permission.READ_MESSAGES}),
    ANSWERS: frozenset({Permission.READ_MESSAGES}),
    HANDOVER: frozenset({Permission.READ_MESSAGES}),
    DRAFT: frozenset({Permission.WRITE_ALERTS, Permission.RELEASE}),
    QUEUES: frozenset({Permission.WATCH_NODE}),
}
_TOPICS: Final[Mapping[str, str]] = {
    "message.received": INBOX,
    "message.submitted": SENT,
    "message.refused": QUEUES,
    "answer.due": ANSWERS,
    "answer.overdue": ANSWERS,
}
_TOPICS_OF: Final[Mapping[str, str]] = {
    "message": MESSAGE,
    "draft": DRAFT,
    "shift": HANDOVER,
    "quarantine": QUEUES,
    "peer": QUEUES,
    "session": SESSION,
    "account": SESSION,
}

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class News:
    """Something changed. `contact_point` is `None` for what concerns the node, `subject` for what has no id."""

    topic: str
    contact_point: str | None = None
    subject: str | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits at a contact point, for banners; `newest` is the place of what arrived last."""

    newest: int
    due: int
    overdue: int
    awaited_overdue: int
    handovers: int


@dataclass(slots=True, eq=False)
class Listener:
    """One open stream."""

    person: Person
    session: bytes
    _waiting: dict[tuple[str, str | None], News] = field(default_factory=dict)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    is_closed: bool = False

    def may_know(self, news: News) -> bool:
        """Whether it concerns the person."""
        if news.topic == SESSION:
            return news.subject == self.person.login
        if news.contact_point not in {None, self.person.contact_point}:
            return False
        needed = _NEEDED.get(news.topic)
        return needed is None or any(self.person.may(one) for one in needed)

    def tell(self, news: News) -> None:
        """Puts it among what waits, once for each topic and id."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting = {(ANYTHING, None): News(ANYTHING)}
        self._waiting[news.topic, news.subject] = news
        self._wake.set()

    def close(self) -> None:
        """Ends the stream."""
        self.is_closed = True
        self._wake.set()

    async def next(self, seconds: float) -> Sequence[News]:
        """What has come; nothing after so long without any."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        self._wake.clear()
        waiting, self._waiting = self._waiting, {}
        return list(waiting.values())


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
        self._sent_is_stale = False
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
        self._slow_at = -SLOW_SECONDS  # looks at once
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
            return await _news_of(unit, found)

    async def run(self, stop: asyncio.Event) -> None:
        """Looks until `stop` is set; then every stream ends, so that the server need not wait for them."""
        failed = False
        while not stop.is_set():
            try:
                await self._look()
                failed = False
            except UnavailableError as error:
                if not failed:
                    _log.warning("live.unavailable", code=error.code, detail=error.message)
                failed, self._mark = True, None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await stop.wait()
        for listener in self._listeners:
            listener.close()

    async def _look(self) -> None:
        now, mark = asyncio.get_running_loop().time(), self._store.mark()
        has_changed, is_slow = mark != self._mark, now - self._slow_at >= SLOW_SECONDS
        self._mark = mark
        self._sent_is_stale |= has_changed
        looks_at_sent = self._sent_is_stale and now - self._sent_at >= SENT_SECONDS
        if not (has_changed or is_slow or looks_at_sent):
            return
        async with self._store.reading() as unit:
            news = await self._follow(unit) if has_changed else []
            if looks_at_sent:
                self._sent_is_stale, self._sent_at = False, now
                news += await self._look_at_sent(unit)
            if news or is_slow:
                await self._look_at_deadlines(unit)
        if is_slow:
            self._slow_at = now
            news += await self._look_at_broker()
        for one in news:
            self._tell(one)

    async def _follow(self, unit: UnitOfWork) -> list[News]:
        is_first = self._position is None
        position = await unit.happenings.newest() if self._position is None else self._position
        found = await unit.happenings.after(position - LOOKED_BACK, limit=MOST_AT_ONCE)
        fresh = [] if is_first else [one for one in found if one.position not in self._seen]
        self._seen = {one.position for one in found}
        self._position = max(position, *self._seen) if self._seen else position
        if len(found) == MOST_AT_ONCE:
            self._mark = None  # there is more: look again
        return await _news_of(unit, fresh)

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

    async def _look_at_broker(self) -> list[News]:
        before, self.is_receiving = self.is_receiving, await self._receives() if self._listeners else None
        return [News(BROKER)] if before != self.is_receiving else []

    def _tell(self, news: News) -> None:
        for listener in self._listeners:
            if listener.may_know(news):
                listener.tell(news)


async def _news_of(unit: UnitOfWork, happenings: Sequence[Happening]) -> list[News]:
    """What these entries mean; of a message that arrived also what it replaces and what it answers."""
    news, keys = [], set()
    for one in happenings:
        topic = _TOPICS.get(one.action) or _TOPICS_OF.get(one.action.partition(".")[0])
        is_node_wide = topic in {SESSION, QUEUES}
        if topic is None or (one.contact_point is None and not is_node_wide):
            continue
        news.append(News(topic, None if is_node_wide else one.contact_point, one.subject, one.position))
        if topic == INBOX and one.contact_point is not None and one.subject is not None:
            keys.add((one.contact_point, one.subject))
    for arrival in await unit.happenings.arrivals(keys) if keys else ():
        if arrival.replaces is not None:
            news.append(News(MESSAGE, arrival.contact_point, arrival.replaces))
        if arrival.answers is not None:
            news.append(News(SENT, arrival.contact_point, arrival.answers))
    return news
