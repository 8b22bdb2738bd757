"""Runs services side by side: ready when all are, SIGTERM drains, a second SIGTERM stops at once.

Whatever is stopped loses nothing: a message that was not acknowledged stays with the broker, a row that was not marked
stays in the outbox.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

import structlog

AT_ONCE_SECONDS: Final = 2.0

_log = structlog.get_logger()


class Service(Protocol):
    """Something that runs until it is asked to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; what was begun is finished."""
        ...


class Readiness:
    """Notes which services are ready; when all are, says so once, in the log and in a file.

    A file that an earlier run left behind is removed first: it would speak for a process that is gone.

    Args:
        file: written with the process id; `None`: no file.
        on_ready: called once, when all are.
    """

    def __init__(self, *, file: Path | None, on_ready: Callable[[], None] = lambda: None) -> None:
        self._waiting: set[str] = set()
        self._file, self._on_ready = file, on_ready
        if file is not None:
            file.unlink(missing_ok=True)

    def expect(self, name: str) -> None:
        """This service is waited for; said before any of them runs."""
        self._waiting.add(name)

    def note(self, name: str) -> None:
        """One service is ready."""
        if name in self._waiting:
            self._waiting.discard(name)
            if not self._waiting:
                _log.info("service.ready", pid=os.getpid())
                self._on_ready()
                if self._file is not None:
                    self._file.write_text(f"{os.getpid()}\n", "utf-8")


async def run_services(services: Mapping[str, Service], *, drain_seconds: float) -> None:
    """Runs all until SIGTERM or SIGINT; then waits for them to finish, at most `drain_seconds`.

    At the second signal they are cancelled. What cannot be (a thread that waits for a database's lock) ends with the
    process a moment later, as that signal ends a process that does not catch it.

    Raises:
        ExceptionGroup: a service ended by a fault of its own; the others were stopped.
    """
    stop, at_once = asyncio.Event(), asyncio.Event()

    def on_signal(number: signal.Signals) -> None:
        _log.info("service.draining", signal=number.name)
        if stop.is_set():
            at_once.set()
            loop.call_later(AT_ONCE_SECONDS, _end_process, number)
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(service.run(stop), name=name) for name, service in services.items()]
        hurry = group.create_task(_hurry(running, stop, at_once, drain_seconds))
        await asyncio.wait(running)
        hurry.cancel()


async def _hurry(
    running: list[asyncio.Task[None]], stop: asyncio.Event, at_once: asyncio.Event, drain_seconds: float
) -> None:
    """Cancels what is still running when the drain takes too long, or at the second signal."""
    await stop.wait()
    try:
        async with asyncio.timeout(drain_seconds):
            await at_once.wait()
    except TimeoutError:
        _log.warning("service.drain_timeout", seconds=drain_seconds)
    for task in running:
        task.cancel()


def _end_process(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    signal.raise_signal(number)
