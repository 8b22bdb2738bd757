"""Waiting for something, unless the service is asked to stop first."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


class Stopped(Exception):  # noqa: N818 - a signal, not an error
    """The service was asked to stop while it waited."""


async def unless_stopped(stop: asyncio.Event, work: Coroutine[object, object, Result]) -> Result:
    """The result of `work`; raises `Stopped`, with `work` cancelled, when `stop` is set first."""
    task = asyncio.ensure_future(work)
    stopper = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopper}, return_when=asyncio.FIRST_COMPLETED)
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
    await unless_stopped(stop, asyncio.sleep(seconds))
