"""The processes that are measured: started, known to be ready, their CPU time read, ended."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bridge.core.errors import UnavailableError

READY_SECONDS: Final = 30.0
END_SECONDS: Final = 15.0
LINE_BYTES: Final = 64 * 1024 * 1024  # one line of JSON with every message's time
_TICK: Final = os.sysconf("SC_CLK_TCK")
_ROOT: Final = Path(__file__).parent.parent


@asynccontextmanager
async def running(commands: Sequence[Sequence[str]], *, log: Path) -> AsyncIterator[list[Process]]:
    """Python programs (`-m module ...`), all ended on leaving; what they say on stderr goes into the log."""
    started: list[Process] = []
    try:
        with log.open("ab") as errors:
            for command in commands:
                process = await asyncio.create_subprocess_exec(
                    sys.executable, *command, cwd=_ROOT, stdin=PIPE, stdout=PIPE, stderr=errors, limit=LINE_BYTES
                )
                started.append(process)  # at once: a failure to start the next must end this one
        yield started
    finally:
        await _end(started)


async def until_exist(files: Iterable[Path], processes: Sequence[Process], *, log: Path) -> None:
    """Waits until every ready file is there.

    Raises:
        UnavailableError: a process ended, or it takes too long.
    """
    waiting = list(files)
    try:
        async with asyncio.timeout(READY_SECONDS):
            while waiting := [file for file in waiting if not file.exists()]:
                _check_alive(processes, log)
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise UnavailableError("E_BENCHMARK", f"the services are not ready; see {log}") from None


async def read_line(process: Process, *, seconds: float, log: Path) -> bytes:
    """One line that a process prints; raises `UnavailableError` when it ends or takes too long instead."""
    if process.stdout is None:
        raise TypeError(process)
    try:
        async with asyncio.timeout(seconds):
            line = await process.stdout.readline()
    except TimeoutError:
        raise UnavailableError("E_BENCHMARK", f"a process says nothing for {seconds:.0f} s; see {log}") from None
    if not line:
        raise UnavailableError("E_BENCHMARK", f"a process ended early; see {log}")
    return line


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, to a hundredth of a second (proc_pid_stat(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _check_alive(processes: Sequence[Process], log: Path) -> None:
    if any(process.returncode is not None for process in processes):
        raise UnavailableError("E_BENCHMARK", f"a process ended while it was to get ready; see {log}")


async def _end(processes: Sequence[Process]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    ends = [asyncio.ensure_future(process.communicate()) for process in processes]
    if ends:
        await asyncio.wait(ends, timeout=END_SECONDS)
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await asyncio.gather(*ends, return_exceptions=True)
