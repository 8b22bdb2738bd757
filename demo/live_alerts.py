"""Alerts that keep coming while the demonstration stays up, so that a visitor's inbox moves; all are exercises."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping
from itertools import cycle
from typing import Final

from bridge.compose.node import Node
from bridge.core.ids import prefix_of
from demo.officers import Sample, Sent, prepare, samples, send

PAUSE_SECONDS: Final = (20.0, 40.0)
MOST_ALERTS: Final = 240  # two hours of them; then it is quiet


async def keep_alerts_coming(nodes: Mapping[str, Node], *, to: Collection[str]) -> None:
    """Sends a sample from one of the other countries to some of these every now and then, the first one at once."""
    rest = cycle([sample for sample in samples() if may_be_repeated(sample, to=to)])
    for _ in range(MOST_ALERTS):
        while await exercise(next(rest), nodes, to=to) is None:
            pass
        await asyncio.sleep(random.uniform(*PAUSE_SECONDS))  # noqa: S311 - no secret


def may_be_repeated(sample: Sample, *, to: Collection[str]) -> bool:
    """Whether a sample is an alert of its own, from a country whose officers are not the visitors."""
    return sample.supersedes is None and prefix_of(sample.sender) not in to


async def exercise(sample: Sample, nodes: Mapping[str, Node], *, to: Collection[str]) -> Sent | None:
    """Sends a sample as an exercise; not if it concerns none of these countries."""
    draft = await prepare(sample, nodes, status="exercise")
    if not any(prefix_of(recipient.id) in to for recipient in draft.plan.recipients):
        return None
    return await send(sample, draft, nodes)
