"""News for open pages: its topics, who may know of it, and what waits for one stream."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import Person
from bridge.ports.store import UnitOfWork
from bridge.ports.store.happenings import Happening

MOST_WAITING: Final = 100

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


async def news_of(unit: UnitOfWork, happenings: Sequence[Happening]) -> list[News]:
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
