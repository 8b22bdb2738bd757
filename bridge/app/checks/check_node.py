"""Checks behind `status`, `doctor` and readiness: each has a name, a verdict, a named state and one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bridge.app.checks import node_states as states
from bridge.app.receiving.answering import UNSIGNED
from bridge.core.directory import LIST_ALARM_AGE, LIST_SECOND_PERSON_AGE, Directory, PublicKey
from bridge.core.errors import BridgeError
from bridge.core.ids import owner_of
from bridge.core.times import format_time
from bridge.ports.store import Store


@dataclass(frozen=True, slots=True)
class Check:
    """One finding.

    Attributes:
        state: one of `bridge.app.checks.node_states`; told by the verdict where none is given.
    """

    name: str
    ok: bool
    detail: str
    state: str = ""

    def __post_init__(self) -> None:
        if not self.state:
            object.__setattr__(self, "state", states.OK if self.ok else states.FAILED)

    @classmethod
    def failed(cls, name: str, error: BridgeError) -> Check:
        """What stands against it, with the state that the error's code means."""
        return cls(name, ok=False, detail=error.message, state=states.state_of(error.code))


OUTBOX_ALARM_SECONDS: Final = 600.0
KEY_ENDS_SOON: Final = timedelta(days=14)

PROBE_SECONDS: Final = 15.0  # the broker's own deadline is ten

Probe = Callable[[], Awaitable[str]]


async def run_probes(probes: Mapping[str, Probe], *, seconds: float = PROBE_SECONDS) -> list[Check]:
    """Runs the probes side by side, each within a deadline; a `BridgeError` is a failed check, else it is a fault."""
    return list(await asyncio.gather(*(_run(name, probe, seconds) for name, probe in probes.items())))


async def _run(name: str, probe: Probe, seconds: float) -> Check:
    try:
        async with asyncio.timeout(seconds):
            return Check(name, ok=True, detail=await probe())
    except BridgeError as error:
        return Check.failed(name, error)
    except TimeoutError:
        return Check(name, ok=False, detail=f"no answer within {seconds:.0f} s", state=states.NO_ANSWER)


async def check_queues(store: Store, *, now: datetime) -> Sequence[Check]:
    """Outbox, quarantine and held messages, as numbers for an operator."""
    async with store.reading() as unit:
        waiting = [await unit.outbox.backlog(relay) for relay in ("publisher", "subscriber", UNSIGNED)]
        quarantined, held = await unit.refusals.counts()
        total = await unit.refusals.total()
    rows = sum(count for count, _ in waiting)
    oldest = min((moment for _, moment in waiting if moment is not None), default=None)
    age = (now - oldest).total_seconds() if oldest else 0.0
    codes = ", ".join(f"{code} {count}" for code, count in sorted(quarantined.items())) or "nothing"
    return [
        Check("outbox", ok=age < OUTBOX_ALARM_SECONDS, detail=f"{rows} waiting, the oldest for {age:.0f} s"),
        Check(
            "quarantine",
            ok=total.without_bytes == 0,
            detail=f"{codes} refused, {total.kept_bytes / 1024**2:.1f} MiB kept, {total.without_bytes} without bytes",
        ),
        Check("held", ok=True, detail=f"{held} cannot be judged yet"),
    ]


def check_list(directory: Directory, *, now: datetime, contact_points: Sequence[str]) -> Sequence[Check]:
    """The membership list's age, and that every hosted contact point is in it with both its keys.

    A key that ends within `KEY_ENDS_SOON` is a failed check: a successor takes people, and time to reach every member.
    """
    age = now - directory.signed_at
    hours = age.total_seconds() / 3600
    detail = f"version {directory.version} of {directory.network}, last confirmed {hours:.0f} h ago"
    membership = Check("membership list", ok=age < LIST_ALARM_AGE, detail=detail + _freshness(directory, now))
    if not membership.ok:
        membership = replace(membership, state=states.MEMBERSHIP_OLD)
    return [membership, *(_check_member(directory, identifier, now) for identifier in contact_points)]


def _check_member(directory: Directory, identifier: str, now: datetime) -> Check:
    point = directory.contact_points.get(identifier)
    if point is None:
        return Check(identifier, ok=False, detail="is not in the membership list")
    if point.suspended is not None:
        return Check(identifier, ok=False, detail=f"suspended: {point.suspended}")
    sealing, signing = directory.seal_key(identifier, now), _signing_key(directory, identifier, now)
    if sealing is None or signing is None:
        missing = "encryption" if sealing is None else "signing"
        detail = f"has no valid {missing} key in the membership list"
        return Check(identifier, ok=False, detail=detail, state=states.KEY_UNUSABLE)
    detail = (
        f"sealed to with {sealing.kid} until {format_time(sealing.use_until)}, "
        f"signs with {signing.kid} until {format_time(signing.use_until)}"
    )
    ends_soon = min(sealing.use_until, signing.use_until) - now < KEY_ENDS_SOON
    warning = f"; a key ends in less than {KEY_ENDS_SOON.days} days and needs a successor" if ends_soon else ""
    return Check(identifier, ok=not ends_soon, detail=detail + warning, state=states.KEY_ENDS_SOON if ends_soon else "")


def _signing_key(directory: Directory, owner: str, now: datetime) -> PublicKey | None:
    """The signing key of a contact point that may be used longest, or `None` when none may be used any more."""
    usable = [
        key
        for key in directory.signing_keys.values()
        if owner_of(key.kid) == owner and key.revoked_at is None and now < key.use_until
    ]
    return max(usable, key=lambda key: (key.use_until, key.kid), default=None)


def _freshness(directory: Directory, now: datetime) -> str:
    if now >= directory.expires:
        return "; too old: everything that arrives is held"
    if now - directory.signed_at >= LIST_SECOND_PERSON_AGE:
        return "; older than 7 days: sending person-level kinds takes a second person"
    return ""
