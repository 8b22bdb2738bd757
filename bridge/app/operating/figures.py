"""The figures of a node for a monitoring system: counts, ages and days, no id of a message and no word of one.

They are read from the database when somebody asks, each by an index or a small table, and told again for five seconds:
many who ask cost no more than one. Counters are the places that inbox, ledger and quarantine have given out; a restart
of a process does not set them back.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bridge.app.checks.check_peers import GAP_ALARM
from bridge.app.desk.deadlines import OURS, THEIRS, OwedAnswers, is_due, is_overdue, owed_answers
from bridge.app.no_gap.watch_peers import heard_lately, silent_after
from bridge.app.operating.overview import DAY, MOST_FACTS, percentile, seconds_to_deliver
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.trust import TrustSource

FRESH_SECONDS: Final = 5.0
PERCENTILES: Final = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its labels. `is_counter`: it only ever grows."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    is_counter: bool = False


@dataclass(slots=True)
class GatherFigures:
    """Gathers for one process."""

    store: Store
    trust: TrustSource
    clock: Clock
    hosted: Collection[str]
    heartbeat_every: timedelta
    _gathered: Sequence[Figure] = field(default=(), init=False)
    _at: float | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def gather(self) -> Sequence[Figure]:
        """The figures, at most five seconds old.

        A database that does not answer leaves one figure: that it does not.
        """
        async with self._turn:
            now = asyncio.get_running_loop().time()
            if self._at is None or now - self._at >= FRESH_SECONDS:
                try:
                    self._gathered = [*await self._look(), _up(1)]
                except UnavailableError:
                    self._gathered = [_up(0)]
                self._at = now
            return self._gathered

    async def _look(self) -> list[Figure]:
        now, directory = self.clock.now(), self._directory()
        async with self.store.reading() as unit:
            figures = [*await _totals(unit), *await _waiting(unit, now), *await _refused(unit)]
            figures += await self._delivery(unit, now)
            figures += _owed(await owed_answers(unit, self.hosted, now=now), now)
            figures += await self._peers(unit, directory, now)
        if directory is not None:
            age = (now - directory.signed_at).total_seconds()
            figures.append(Figure("ncp_bridge_membership_age_seconds", "Since the membership list was confirmed.", age))
            figures.append(
                Figure("ncp_bridge_membership_version", "Version of the membership list in use.", directory.version)
            )
            figures += _keys(directory, self.hosted, now)
        return figures

    async def _delivery(self, unit: UnitOfWork, now: datetime) -> Iterator[Figure]:
        facts = await unit.operations.sent_since(now - DAY, limit=MOST_FACTS)
        times = [seconds for fact in facts if (seconds := seconds_to_deliver(fact)) is not None]
        return (
            Figure(
                "ncp_bridge_delivery_seconds",
                "From the broker's confirmation to the verified receipt, last 24 hours.",
                value,
                {"quantile": f"{percent / 100:g}"},
            )
            for percent in PERCENTILES
            if (value := percentile(times, percent)) is not None
        )

    async def _peers(self, unit: UnitOfWork, directory: Directory | None, now: datetime) -> list[Figure]:
        gaps = await unit.gaps.counted(older_than=now - GAP_ALARM)
        figures = [Figure("ncp_bridge_missing_numbers", "Numbers missing for over 10 minutes.", sum(gaps.values()))]
        if directory is not None:
            heard = await heard_lately(unit, self.hosted, directory=directory, now=now)
            limit = silent_after(self.heartbeat_every)
            silent = sum(now - at > limit for at in heard.values())
            figures.append(Figure("ncp_bridge_silent_peers", "Peers that have fallen silent.", silent))
        return figures

    def _directory(self) -> Directory | None:
        try:
            return self.trust.current()
        except UnavailableError:
            return None


def _up(value: int) -> Figure:
    return Figure("ncp_bridge_database_up", "1 when the database answered, else 0.", value)


def _owed(owed: OwedAnswers, now: datetime) -> Iterator[Figure]:
    return (
        Figure(
            "ncp_bridge_answers_owed",
            "Answers of people that are due soon or overdue, by whom: ours, theirs.",
            sum(holds(one, now) for one in answers),
            {"by": side, "state": state},
        )
        for side, answers in ((OURS, owed.ours), (THEIRS, owed.theirs))
        for state, holds in (("due", is_due), ("overdue", is_overdue))
    )


async def _totals(unit: UnitOfWork) -> Iterator[Figure]:
    totals = await unit.operations.totals()
    return (
        Figure(f"ncp_bridge_{name}", help_text, value, is_counter=True)
        for name, help_text, value in (
            ("messages_received", "Verified messages that were stored, all time.", totals.received),
            ("messages_made", "Messages that were made here, all time.", totals.made),
            ("messages_refused", "Different messages that were refused, all time.", totals.refused),
        )
    )


async def _waiting(unit: UnitOfWork, now: datetime) -> list[Figure]:
    figures: list[Figure] = []
    rows = await unit.outbox.waiting()
    for lane in ("urgent", "normal"):
        mine = [row for row in rows if row.lane == lane]
        oldest = max(((now - row.oldest).total_seconds() for row in mine), default=0.0)
        labels = {"lane": lane}
        figures.append(Figure("ncp_bridge_outbox_waiting", "Rows that wait.", sum(row.count for row in mine), labels))
        figures.append(
            Figure("ncp_bridge_outbox_oldest_seconds", "Age of the oldest row that waits.", max(oldest, 0.0), labels)
        )
    return figures


async def _refused(unit: UnitOfWork) -> list[Figure]:
    by_code, held = await unit.refusals.counts()
    figures = [
        Figure("ncp_bridge_quarantined", "Entries of the quarantine.", count, {"code": code})
        for code, count in sorted(by_code.items())
    ]
    return [*figures, Figure("ncp_bridge_held", "Messages that cannot be judged yet.", held)]


def _keys(directory: Directory, hosted: Collection[str], now: datetime) -> Iterator[Figure]:
    for own in sorted(hosted):
        for use, keys in (
            ("signing", directory.signing_keys_of(own)),
            ("encryption", directory.encryption_keys_of(own)),
        ):
            ends = max((key.use_until for key in keys if key.is_usable(now)), default=now)
            days = (ends - now) / timedelta(days=1)
            labels = {"contact_point": own, "use": use}
            yield Figure("ncp_bridge_key_days_left", "Days until the last usable key ends.", round(days, 2), labels)
