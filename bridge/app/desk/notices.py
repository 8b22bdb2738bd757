"""Notices to people outside the console: taken from the audit log, kept in a queue, tried until they are sent or stale.

Rules:
1. A notice names a contact point and an occasion, and links to the console. It never holds a word, a kind or a sender.
2. Of one occasion one notice waits for each contact point and channel: fifty alerts at once are one e-mail.
3. What cannot be sent is tried again after 30 seconds, then twice as long each time, up to an hour. After a day it is
   given up: said in the log and in `status`.
4. Whoever begins to send notices begins with what happens from then on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog

from bridge.app.accounts.sign_in import BROKE_GLASS_ENTRY
from bridge.app.desk.deadlines import DUE_ENTRY, OVERDUE_ENTRY
from bridge.app.no_gap.watch_peers import SILENT_ENTRY
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock, Ids
from bridge.ports.notices import Notice, NoticeChannel
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.happenings import Happening
from bridge.ports.store.notices import NoticeRecord

RECEIVED: Final = "message.received"
NEW: Final = "new"
DUE: Final = "due"
OVERDUE: Final = "overdue"
RELEASED: Final = "released"
SILENT: Final = "silent"
BROKE_GLASS: Final = "broke_glass"
SENTENCES: Final[Mapping[str, str]] = {
    NEW: "A new message waits at {contact_point}.",
    DUE: "An answer is due soon at {contact_point}.",
    OVERDUE: "An answer is overdue at {contact_point}.",
    RELEASED: "A message of {contact_point} was released.",
    SILENT: "A peer of {contact_point} has fallen silent.",
    BROKE_GLASS: "Somebody signed in with a password that is for emergencies; told to {contact_point}.",
}
OCCASIONS: Final = tuple(SENTENCES)
FIRST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(hours=1)
GIVEN_UP_AFTER: Final = timedelta(days=1)
KEPT: Final = timedelta(days=7)
CLAIMED_FOR: Final = timedelta(minutes=2)
AT_ONCE: Final = 10
PROGRESS: Final = "notices"
LOOKED_BACK: Final = 200  # positions: on PostgreSQL one may become visible after a higher one
MOST_AT_ONCE: Final = 2000
_MOST_DOUBLINGS: Final = 8
_OF_ACTION: Final[Mapping[str, str]] = {
    DUE_ENTRY: DUE,
    OVERDUE_ENTRY: OVERDUE,
    "draft.released": RELEASED,
    "draft.released_in_emergency": RELEASED,
    SILENT_ENTRY: SILENT,
    BROKE_GLASS_ENTRY: BROKE_GLASS,
}

_Key = tuple[str | None, str | None]

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Addressee:
    """Which notices a channel of the settings takes."""

    channel: str
    contact_points: Collection[str]
    occasions: Collection[str]


@dataclass(slots=True)
class QueueNotices:
    """Follows the audit log, and queues a notice for each channel that takes its occasion."""

    addressees: Sequence[Addressee]
    store: Store
    clock: Clock
    ids: Ids
    _mark: object = field(default=None, init=False)
    _seen: frozenset[int] | None = field(default=None, init=False)

    async def follow(self) -> None:
        """Looks once, where something was committed since the last time.

        Raises:
            UnavailableError: the database cannot be reached, or the clock was set (`E_CLOCK`).
        """
        mark, now = self.store.mark(), self.clock.now()
        if mark == self._mark:
            return
        async with self.store.reading() as unit:
            begun = await unit.happenings.progress(PROGRESS)
            position = begun if begun is not None else await unit.happenings.newest()
            found = await unit.happenings.after(position - LOOKED_BACK, limit=MOST_AT_ONCE)
            if self._seen is None:  # after a start: what is before its place was told, or was there before
                self._seen = frozenset(one.position for one in found if one.position <= position)
            fresh = [one for one in found if one.position not in self._seen]
            awaiting = await _awaiting(unit, fresh)
        newest = max((one.position for one in found), default=position)
        notices = [notice for one in fresh for notice in self._notices(one, now, awaiting)]
        if begun is None or newest > position or notices:
            async with self.store.writing() as unit:
                await unit.notices.add(notices)
                await unit.notices.forget(before=now - KEPT)
                await unit.happenings.set_progress(PROGRESS, max(newest, position))
        self._seen = frozenset(one.position for one in found)
        self._mark = mark if len(found) < MOST_AT_ONCE else None

    def _notices(self, happening: Happening, now: datetime, awaiting: Collection[_Key]) -> Sequence[NoticeRecord]:
        occasion, own = _OF_ACTION.get(happening.action), happening.contact_point
        if happening.action == RECEIVED and (own, happening.subject) in awaiting:
            occasion = NEW
        if occasion is None or (own is None and occasion != BROKE_GLASS):
            return ()
        return [
            NoticeRecord(
                id=self.ids.new(now),
                contact_point=point,
                channel=addressee.channel,
                occasion=occasion,
                subject=happening.subject or "",
                created_at=now,
                next_attempt_at=now,
            )
            for addressee in self.addressees
            if occasion in addressee.occasions
            for point in addressee.contact_points
            if own in {point, None}  # an account that reads no messages has none: everybody is told
        ]


@dataclass(frozen=True, slots=True)
class DeliverNotices:
    """Sends what is due by one channel."""

    name: str
    channel: NoticeChannel
    store: Store
    clock: Clock
    link: str | None

    async def deliver(self) -> None:
        """Tries each notice that is due once.

        Raises:
            UnavailableError: the database cannot be reached, or the clock was set (`E_CLOCK`).
        """
        now = self.clock.now()
        async with self.store.writing() as unit:
            due = await unit.notices.claim([self.name], now=now, until=now + CLAIMED_FOR, limit=AT_ONCE)
        for record in due:
            await self._try(record)

    async def _try(self, record: NoticeRecord) -> None:
        sentence = SENTENCES[record.occasion].format(contact_point=record.contact_point)
        notice = Notice(record.id, record.contact_point, record.occasion, record.created_at, sentence, self.link)
        try:
            await self.channel.send(notice)
        except UnavailableError as error:
            await self._put_back(record, error)
            return
        now = self.clock.now()
        async with self.store.writing() as unit:
            await unit.notices.mark_sent(record.id, now)
        _log.info("notice.sent", name=self.name, contact_point=record.contact_point, reason=record.occasion)

    async def _put_back(self, record: NoticeRecord, error: UnavailableError) -> None:
        now = self.clock.now()
        about = {"name": self.name, "contact_point": record.contact_point, "reason": record.occasion}
        if now - record.created_at >= GIVEN_UP_AFTER:
            async with self.store.writing() as unit:
                await unit.notices.give_up(record.id, now, error=error.code)
            _log.error("notice.given_up", code=error.code, detail=error.message, attempt=record.attempts, **about)
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(record.attempts - 1, _MOST_DOUBLINGS))
        async with self.store.writing() as unit:
            await unit.notices.mark_failed(record.id, next_attempt_at=now + pause, error=error.code)
        _log.warning("notice.failed", code=error.code, detail=error.message, attempt=record.attempts, **about)


async def _awaiting(unit: UnitOfWork, happenings: Sequence[Happening]) -> Collection[_Key]:
    """(contact point, message id) of what arrived and waits for an officer."""
    arrived = [
        (one.contact_point, one.subject)
        for one in happenings
        if one.action == RECEIVED and one.contact_point is not None and one.subject is not None
    ]
    found = await unit.happenings.arrivals(arrived) if arrived else ()
    return {(one.contact_point, one.message_id) for one in found if one.awaits_answer}
