"""Checks behind `status` and `doctor`: each has a name, a verdict and one sentence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.core.directory import LIST_ALARM_AGE, LIST_SECOND_PERSON_AGE, Directory
from bridge.core.errors import BridgeError
from bridge.core.times import format_time
from bridge.ports.store import Store


@dataclass(frozen=True, slots=True)
class Check:
    """One finding."""

    name: str
    ok: bool
    detail: str


OUTBOX_ALARM_SECONDS: Final = 600.0

Probe = Callable[[], Awaitable[str]]


async def run_probes(probes: Mapping[str, Probe]) -> list[Check]:
    """Runs every probe; a `BridgeError` is a failed check, anything else a fault."""
    checks = []
    for name, probe in probes.items():
        try:
            checks.append(Check(name, ok=True, detail=await probe()))
        except BridgeError as error:
            checks.append(Check(name, ok=False, detail=error.message))
    return checks


async def check_queues(store: Store, *, now: datetime) -> Sequence[Check]:
    """Outbox, quarantine, held and sequence gaps, as numbers for an operator."""
    async with store.reading() as unit:
        waiting = [await unit.outbox.backlog(relay) for relay in ("publisher", "subscriber")]
        quarantined, held = await unit.refusals.counts()
        gaps = await unit.inbox.gaps(older_than=now)
    rows = sum(count for count, _ in waiting)
    oldest = min((moment for _, moment in waiting if moment is not None), default=None)
    age = (now - oldest).total_seconds() if oldest else 0.0
    codes = ", ".join(f"{code} {count}" for code, count in sorted(quarantined.items())) or "nothing"
    return [
        Check("outbox", ok=age < OUTBOX_ALARM_SECONDS, detail=f"{rows} waiting, the oldest for {age:.0f} s"),
        Check("quarantine", ok=True, detail=f"{codes} refused"),
        Check("held", ok=True, detail=f"{held} cannot be judged yet"),
        Check("sequence", ok=not gaps, detail=f"{len(gaps)} numbers missing"),
    ]


def check_list(directory: Directory, *, now: datetime, contact_points: Sequence[str]) -> Sequence[Check]:
    """The membership list's age, and that every hosted contact point is in it with keys that are not about to end."""
    age = now - directory.signed_at
    hours = age.total_seconds() / 3600
    detail = f"version {directory.version} of {directory.network}, last confirmed {hours:.0f} h ago"
    checks = [Check("membership list", ok=age < LIST_ALARM_AGE, detail=detail + _freshness(directory, now))]
    for identifier in contact_points:
        key = directory.seal_key(identifier, now)
        point = directory.contact_points.get(identifier)
        if point is None:
            checks.append(Check(identifier, ok=False, detail="is not in the membership list"))
        elif point.suspended is not None:
            checks.append(Check(identifier, ok=False, detail=f"suspended: {point.suspended}"))
        elif key is None:
            checks.append(Check(identifier, ok=False, detail="has no valid encryption key in the membership list"))
        else:
            checks.append(
                Check(identifier, ok=True, detail=f"sealed to with {key.kid} until {format_time(key.use_until)}")
            )
    return checks


def _freshness(directory: Directory, now: datetime) -> str:
    if now >= directory.expires:
        return "; too old: everything that arrives is held"
    if now - directory.signed_at >= LIST_SECOND_PERSON_AGE:
        return "; older than 7 days: sending person-level kinds takes a second person"
    return ""
