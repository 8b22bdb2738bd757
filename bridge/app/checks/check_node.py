"""Checks behind `status`, `doctor` and readiness: each has a name, a verdict, a named state and one sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bridge.app.checks import node_states as states
from bridge.app.receiving.answering import UNSIGNED
from bridge.core.errors import BridgeError
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
