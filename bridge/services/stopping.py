"""Waiting for something, unless the service is asked to stop first; and how long to wait between two attempts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


class Stopped(Exception):  # noqa: N818 - a signal, not an error
    """The service was asked to stop while it waited."""


async def unless_stopped(
    stop: asyncio.Event, work: Coroutine[object, object, Result], *, grace_seconds: float = 0.0
) -> Result:
    """The result of `work`; raises `Stopped`, with `work` cancelled, where it has none so long after `stop` was set."""
    task = asyncio.ensure_future(work)
    stopper = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopper}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done() and grace_seconds:
            await asyncio.wait({task}, timeout=grace_seconds)
        if task.done():
            return task.result()
        raise Stopped
    finally:
        stopper.cancel()
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleeps, or raises `Stopped` as soon as `stop` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(max(seconds, 0.0)):
            await stop.wait()
        raise Stopped


@dataclass(slots=True)
class Patience:
    """Pauses between attempts that fail: each twice the one before, up to the longest, with jitter."""

    least_seconds: float
    longest_seconds: float
    failures: int = 0

    def next_pause_seconds(self) -> float:
        """After another failure."""
        longest = min(self.longest_seconds, self.least_seconds * 2.0 ** min(self.failures, 16))
        self.failures += 1
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret

    def reset(self) -> None:
        """An attempt succeeded."""
        self.failures = 0
