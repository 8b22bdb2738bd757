"""Ctrl-C and SIGTERM: the demonstration ends as soon as it may, and nothing interrupts its cleaning up.

An exception out of a signal handler can come out anywhere, also where Python drops it: between a fork and what follows
it, in a destructor. So under asyncio the handler cancels the work instead, and elsewhere `check` asks again at the
stages' ends whether the demonstration is to stop.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final, TypeVar

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

Answer = TypeVar("Answer")


class Interruption:
    """Whether somebody asked the demonstration to stop; asking again changes nothing."""

    def __init__(self) -> None:
        self._asked = False
        self._cancel: Callable[[], object] | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Handles the signals inside."""
        before = {number: signal.signal(number, self._stop) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def check(self) -> None:
        """Raises `KeyboardInterrupt` when somebody asked to stop."""
        if self._asked:
            raise KeyboardInterrupt

    def run(self, runner: asyncio.Runner, work: Coroutine[object, object, Answer]) -> Answer:
        """The answer of `work`; it is cancelled, and `KeyboardInterrupt` raised, when somebody asks to stop."""
        try:
            return runner.run(self._cancellable(work))
        except asyncio.CancelledError:
            self.check()
            raise

    async def _cancellable(self, work: Coroutine[object, object, Answer]) -> Answer:
        loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            if self._asked:
                task.cancel()
            return await task
        finally:
            self._cancel = None

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        if self._asked:
            return
        self._asked = True
        if self._cancel is None:
            raise KeyboardInterrupt
        self._cancel()
