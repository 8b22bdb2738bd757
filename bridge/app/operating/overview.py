"""How the traffic with each peer went in the last day, from signed receipts and our own clock; never from a body.

Delivery time is from the broker's confirmation to the verified receipt. A message that was confirmed after its receipt
had come (the confirmation was lost) counts as delivered at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.no_gap.watch_peers import heard_lately, silent_after
from bridge.core.directory import Directory
from bridge.core.ids import prefix_of
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.store.operations import ReceivedFact, RefusedGroup, SentFact
from bridge.ports.store.records import Waiting
from bridge.ports.trust import TrustSource

DAY: Final = timedelta(hours=24)
HOURS: Final = 24
MOST_FACTS: Final = 20_000  # a look stays bounded; what is left out are the oldest of the day
OBJECTIVE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class PeerRow:
    """One contact point that we exchange messages with.

    Attributes:
        heard_at: the newest signed time heard from it; `None`: its silence means nothing (yet).
        waiting, oldest: of the outbox, for its country.
        p50, p95: seconds to deliver; `None` where nothing was delivered.
        answered_in_time: share of those that were due in the day; `None` where none was.
        hourly: messages in both directions, the oldest hour first.
        key_ends: when the last key that we may seal to ends.
    """

    id: str
    prefix: str
    suspended: bool
    heard_at: datetime | None
    is_silent: bool
    waiting: int
    oldest: datetime | None
    p50: float | None
    p95: float | None
    answered_in_time: float | None
    hourly: Sequence[int]
    key_ends: datetime | None


@dataclass(frozen=True, slots=True)
class HourOfDelivery:
    """Delivery in one hour; `p50` and `p95` are `None` where nothing was delivered."""

    begins: datetime
    count: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class Overview:
    """One look at the last day."""

    at: datetime
    peers: Sequence[PeerRow]
    delivered: int
    undelivered: int
    p95: float | None
    waiting: int
    oldest: datetime | None
    oldest_for: str | None
    refused: Sequence[RefusedGroup]
    held: int
    hours: Sequence[HourOfDelivery]
    list_version: int


@dataclass(frozen=True, slots=True)
class LookAtTraffic:
    """Looks at the traffic of one node."""

    store: Store
    trust: TrustSource
    clock: Clock
    hosted: Collection[str]
    heartbeat_every: timedelta

    async def look(self) -> Overview:
        """The last day.

        Raises:
            UnavailableError: the database cannot be read, or no membership list was ever verified.
        """
        now, directory = self.clock.now(), self.trust.current()
        async with self.store.reading() as unit:
            sent = await unit.operations.sent_since(now - DAY, limit=MOST_FACTS)
            received = await unit.operations.received_since(now - DAY, limit=MOST_FACTS)
            waiting = await unit.outbox.waiting()
            seen = await unit.peers.seen(self.hosted)
            heard = await heard_lately(unit, self.hosted, directory=directory, now=now)
            refused = await unit.operations.refused_groups()
            _, held = await unit.refusals.counts()
        oldest = min(waiting, key=lambda one: one.oldest, default=None)
        times = [seconds for fact in sent if (seconds := seconds_to_deliver(fact)) is not None]
        return Overview(
            at=now,
            peers=self._peers(
                now,
                directory,
                sent,
                received,
                waiting,
                heard,
                {peer for (_, peer), one in seen.items() if one.was_heard},
            ),
            delivered=len(times),
            undelivered=sum(fact.state != "delivered" for fact in sent),
            p95=percentile(times, 95),
            waiting=sum(one.count for one in waiting),
            oldest=oldest.oldest if oldest else None,
            oldest_for=oldest.country if oldest else None,
            refused=refused,
            held=held,
            hours=_hours(now, sent),
            list_version=directory.version,
        )

    def _peers(
        self,
        now: datetime,
        directory: Directory,
        sent: Sequence[SentFact],
        received: Sequence[ReceivedFact],
        waiting: Sequence[Waiting],
        heard: Mapping[tuple[str, str], datetime],
        ever: Collection[str],
    ) -> Sequence[PeerRow]:
        by_peer: dict[str, list[SentFact]] = defaultdict(list)
        for fact in sent:
            by_peer[fact.recipient].append(fact)
        hourly: dict[str, list[int]] = defaultdict(lambda: [0] * HOURS)
        for peer, at in [(one.recipient, one.made_at) for one in sent] + [
            (one.sender, one.received_at) for one in received
        ]:
            hourly[peer][_hour_of(at, now)] += 1
        limit, rows = silent_after(self.heartbeat_every), []
        for point in sorted(directory.contact_points.values(), key=lambda point: point.id):
            if point.id in self.hosted:
                continue
            times = [seconds for fact in by_peer[point.id] if (seconds := seconds_to_deliver(fact)) is not None]
            heard_at = max((at for (_, peer), at in heard.items() if peer == point.id), default=None)
            mine = [one for one in waiting if one.country == prefix_of(point.id)]
            key = directory.seal_key(point.id, now)
            rows.append(
                PeerRow(
                    id=point.id,
                    prefix=point.prefix,
                    suspended=point.suspended is not None,
                    heard_at=heard_at if point.id in ever else None,
                    is_silent=heard_at is not None and now - heard_at > limit,
                    waiting=sum(one.count for one in mine),
                    oldest=min((one.oldest for one in mine), default=None),
                    p50=percentile(times, 50),
                    p95=percentile(times, 95),
                    answered_in_time=_in_time(by_peer[point.id], now),
                    hourly=tuple(hourly[point.id]),
                    key_ends=key.use_until if key else None,
                )
            )
        return rows


def percentile(values: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile; `None` of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(rank, 1) - 1]


def seconds_to_deliver(fact: SentFact) -> float | None:
    """From the broker's confirmation to the verified receipt; `None` where there is none."""
    if fact.delivered_at is None:
        return None
    begun = fact.sent_at or fact.delivered_at
    return max((fact.delivered_at - begun).total_seconds(), 0.0)


def _in_time(facts: Sequence[SentFact], now: datetime) -> float | None:
    """Of the answers that were due by now, or have come, how many came in time."""
    due = in_time = 0
    for fact in facts:
        if fact.reply_within_s is None or fact.delivered_at is None:
            continue
        until = fact.delivered_at + timedelta(seconds=fact.reply_within_s)
        if fact.acknowledged_at is None and until > now:
            continue
        due += 1
        in_time += fact.acknowledged_at is not None and fact.acknowledged_at <= until
    return in_time / due if due else None


def _hour_of(at: datetime, now: datetime) -> int:
    """Which of the last 24 hours, the oldest being 0."""
    ago = int((now - at) / timedelta(hours=1))
    return HOURS - 1 - min(max(ago, 0), HOURS - 1)


def _hours(now: datetime, sent: Sequence[SentFact]) -> Sequence[HourOfDelivery]:
    times: list[list[float]] = [[] for _ in range(HOURS)]
    for fact in sent:
        seconds = seconds_to_deliver(fact)
        if seconds is not None:
            times[_hour_of(fact.made_at, now)].append(seconds)
    first = now - DAY
    return [
        HourOfDelivery(first + timedelta(hours=hour), len(these), percentile(these, 50), percentile(these, 95))
        for hour, these in enumerate(times)
    ]
