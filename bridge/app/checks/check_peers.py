"""Checks behind `status` about peers: what is missing, what never comes, what they asked us for again, who is silent.

Each names peer, lane and numbers; lists are bounded, and say how much they leave out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.app.checks.check_node import Check
from bridge.app.no_gap.noting_heartbeats import VOID_ENTRY
from bridge.app.no_gap.peer_controls import can_reach
from bridge.app.no_gap.resending import SHOWN_FOR
from bridge.app.no_gap.watch_peers import heard_lately, silent_after
from bridge.core.directory import Directory
from bridge.core.number_ranges import as_ranges, in_words
from bridge.core.times import format_time
from bridge.ports.store import Store, UnitOfWork
from bridge.ports.store.no_gap import AskedAgain

GAP_ALARM: Final = timedelta(minutes=10)  # wire-format, step 14: until then it may only be late
VOID_SHOWN_FOR: Final = timedelta(days=7)
VOID_ALARM: Final = timedelta(days=1)
RANGES_NAMED: Final = 20
STREAMS_NAMED: Final = 10
_LISTED: Final = 1000


async def check_peers(
    store: Store,
    *,
    now: datetime,
    contact_points: Collection[str],
    directory: Directory | None,
    heartbeat_seconds: float,
) -> Sequence[Check]:
    """Missing numbers, void numbers, numbers asked for again, silent peers.

    `directory`: the membership list; `None` where there is none, then nobody's silence can be judged.
    """
    async with store.reading() as unit:
        checks = [
            await _missing(unit, now, contact_points, directory),
            await _void(unit, now, contact_points),
            await _asked_again(unit, now, contact_points),
        ]
        if directory is not None:
            checks.append(await _silent(unit, now, contact_points, directory, timedelta(seconds=heartbeat_seconds)))
    return checks


async def _missing(
    unit: UnitOfWork, now: datetime, contact_points: Collection[str], directory: Directory | None
) -> Check:
    """An alarm about those who can still send what is missing to a contact point of ours; the others are only shown."""
    older_than = now - GAP_ALARM
    counts = await unit.gaps.counted(older_than=older_than)
    can_come = {
        (own, peer)
        for own, peer in counts
        if own in contact_points and (directory is None or can_reach(directory, peer, own))
    }
    count = sum(counts[pair] for pair in can_come)
    ranges = await unit.gaps.named(older_than=older_than, limit=RANGES_NAMED)
    named = [one for one in ranges if (one.recipient, one.sender) in can_come]
    by_stream: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in named:
        by_stream[_stream(one.sender, one.recipient, one.lane, one.epoch)].append((one.first, one.last))
    listed = [f"{stream} {in_words(sorted(ranges))}" for stream, ranges in by_stream.items()]
    detail = f"{count} numbers missing for over 10 minutes"
    if listed:
        detail += f": {'; '.join(listed)}"
    if sum(one.count for one in named) < count:
        detail += "; and more"
    gone = [f"{counts[own, peer]} of {peer} to {own}" for own, peer in sorted(counts.keys() - can_come)]
    if gone:
        detail += f"; no alarm, because sender or recipient is gone or suspended: {_bounded(gone)}"
    return Check("sequence", ok=not count, detail=detail)


async def _void(unit: UnitOfWork, now: datetime, contact_points: Collection[str]) -> Check:
    """An alarm for a day; then it is only shown, until it is a week old."""
    entries = [
        entry
        for own in sorted(contact_points)
        for entry in await unit.audit.list(subject=own, action=VOID_ENTRY, limit=_LISTED)
        if entry.at > now - VOID_SHOWN_FOR
    ]
    said = [
        f"{_stream(one.detail['from'], one.contact_point or '', one.detail['lane'], int(one.detail['epoch']))}"
        f" {one.detail['numbers']} {one.detail['code']} {format_time(one.at)}"
        for one in entries
    ]
    detail = f"never to come: {_bounded(said)}" if said else "no number that never comes in the last 7 days"
    return Check("void numbers", ok=all(one.at <= now - VOID_ALARM for one in entries), detail=detail)


async def _asked_again(unit: UnitOfWork, now: datetime, contact_points: Collection[str]) -> Check:
    found = [
        one
        for one in await unit.asked_again.list(contact_points, limit=_LISTED)
        if one.answered_at is None or one.answered_at > now - SHOWN_FOR
    ]
    together: dict[tuple[str, str, str, int, str | None], list[AskedAgain]] = defaultdict(list)
    for one in _each_first(found):
        together[one.recipient, one.sender, one.lane, one.epoch, one.code].append(one)
    said = [
        f"{recipient} missed {lane} {in_words(as_ranges(one.number for one in some))} of {sender} (epoch {epoch}): "
        + ("sent again" if code is None else f"cannot be sent again {code}")
        for (recipient, sender, lane, epoch, code), some in together.items()
    ]
    most = max(STREAMS_NAMED, len({(one.recipient, one.sender, one.lane) for one in found}))
    detail = _bounded(said, most) if said else "nobody misses anything of ours"
    return Check("asked again", ok=not found, detail=detail)


async def _silent(
    unit: UnitOfWork, now: datetime, contact_points: Collection[str], directory: Directory, every: timedelta
) -> Check:
    heard = await heard_lately(unit, contact_points, directory=directory, now=now)
    limit = silent_after(every)
    silent = [(at, own, peer) for (own, peer), at in heard.items() if now - at > limit]
    said = [f"{peer} silent towards {own} since {format_time(at)}" for at, own, peer in sorted(silent)]
    detail = (
        _bounded(said) if said else f"{len(heard)} peers heard in the last {limit.total_seconds() / 60:.0f} minutes"
    )
    return Check("peers", ok=not silent, detail=detail)


def _stream(sender: str, recipient: str, lane: str, epoch: int) -> str:
    return f"{sender} to {recipient} {lane} (epoch {epoch})"


def _each_first(found: Sequence[AskedAgain]) -> Sequence[AskedAgain]:
    """One of each recipient, sender and lane in front: what is left out of a list hides nobody."""
    first = {(one.recipient, one.sender, one.lane): one for one in reversed(found)}
    in_front = [one for one in found if first[one.recipient, one.sender, one.lane] is one]
    return [*in_front, *(one for one in found if first[one.recipient, one.sender, one.lane] is not one)]


def _bounded(said: Iterable[str], most: int = STREAMS_NAMED) -> str:
    listed = list(said)
    more = f"; and {len(listed) - most} more" if len(listed) > most else ""
    return "; ".join(listed[:most]) + more
