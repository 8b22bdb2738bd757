"""The processes of a run: services and load generators, started again whenever they end, as a supervisor does."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from chaos_hooks import FOLDER_VARIABLE, MUTANT_VARIABLE
from chaos_world import Country

from bridge.core.errors import UnavailableError
from broker.keeper import PR_SET_PDEATHSIG

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
READY_SECONDS: Final = 120.0
DRAIN_SECONDS: Final = 30.0
RESTART_PAUSE_SECONDS: Final = 0.2
POLL_SECONDS: Final = 0.05


class Supervised:
    """One process that is started again whenever it ends, until it is released.

    Attributes:
        name: `rs`, `hr-publisher`, `load-rs`.
        deaths: how often it has ended by a signal.
        failures: how often it has ended with a status of its own that says so.
        done: set when it has ended with status 0 of its own accord.
    """

    def __init__(self, name: str, command: Sequence[str], *, folder: Path, environment: dict[str, str]) -> None:
        self.name, self.deaths, self.failures = name, 0, 0
        self.done = asyncio.Event()
        self.log = folder / f"{name}.log"
        self._command, self._environment = command, environment
        self._process: Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._released = False

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    def start(self) -> None:
        """Begins to supervise."""
        self._watch = asyncio.create_task(self._supervise(), name=self.name)

    def signal(self, number: signal.Signals) -> bool:
        """Sends a signal; answers whether there was somebody to get it."""
        if self.pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
            return True
        return False

    async def next_death(self, deaths: int, *, seconds: float) -> bool:
        """Waits until more than `deaths` are counted; answers whether that happened in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.deaths <= deaths:  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(POLL_SECONDS / 5)
                return True
        return False

    def release(self) -> None:
        """Asks it to drain, and starts it no more."""
        self._released = True
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)

    async def wait_released(self) -> None:
        """Until it has ended; it is killed when that takes too long."""
        if self._watch is None:
            return
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                await asyncio.shield(self._watch)
        except TimeoutError:
            self.signal(signal.SIGKILL)
            await self._watch

    async def _supervise(self) -> None:
        while not self._released:
            self._process = await self._spawn()
            status = await self._process.wait()
            if status < 0:
                self.deaths += 1
            elif status == 0 and not self._released:
                self.done.set()
                return
            elif status > 0:
                self.failures += 1
            await asyncio.sleep(RESTART_PAUSE_SECONDS)

    async def _spawn(self) -> Process:
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *self._command,
                cwd=ROOT,
                env=self._environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_end_with_starter,
            )


class Service(Supervised):
    """The services of a country, or of one of its roles."""

    def __init__(self, country: Country, role: str | None, *, folder: Path, mutant: str | None) -> None:
        name = f"{country.prefix}-{role}" if role else country.prefix
        self.country, self.role = country, role
        self.arms = folder / "arms" / name
        self.arms.mkdir(parents=True, exist_ok=True)
        self._ready_file = self.arms / "ready"
        command = [sys.executable, str(HERE / "chaos_node.py"), "run", *([role] if role else [])]
        command += ["--config", str(country.config), "--ready-file", str(self._ready_file)]
        environment = _environment() | {FOLDER_VARIABLE: str(self.arms)}
        if mutant:
            environment[MUTANT_VARIABLE] = mutant
        super().__init__(name, command, folder=folder, environment=environment)

    def arm(self, point: str, text: str = "") -> None:
        """Arms a point of `chaos_hooks`."""
        draft = self.arms / f"{point}.draft"
        draft.write_text(text, "ascii")
        draft.rename(self.arms / point)

    def disarm(self, point: str) -> None:
        """Takes it back, if it has not fired."""
        (self.arms / point).unlink(missing_ok=True)

    @property
    def is_ready(self) -> bool:
        """Whether the process that runs now has said so."""
        try:
            return int(self._ready_file.read_text("ascii") or 0) == self.pid
        except (OSError, ValueError):
            return False

    async def wait_ready(self) -> None:
        """Until it is ready.

        Raises:
            UnavailableError: it is not in time; with the end of its log.
        """
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not self.is_ready:  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            words = self.log.read_text("utf-8", errors="replace")[-1500:]
            raise UnavailableError("E_CHAOS_START", f"{self.name} does not get ready: {words}") from None


class Generator(Supervised):
    """The load generator of a country."""

    def __init__(self, country: Country, *, folder: Path, records: Path, quota: int, seed: int, peers: str) -> None:
        self.country = country
        command = [sys.executable, str(HERE / "chaos_load.py"), str(country.config), str(records)]
        command += ["--quota", str(quota), "--seed", str(seed), "--peers", peers]
        super().__init__(f"load-{country.prefix}", command, folder=folder, environment=_environment())


async def release_all(supervised: Sequence[Supervised]) -> None:
    """Ends all of them, side by side."""
    for one in supervised:
        one.release()
    await asyncio.gather(*(one.wait_released() for one in supervised))


def _environment() -> dict[str, str]:
    path = os.pathsep.join([str(ROOT), str(HERE.parent), str(HERE)])
    return os.environ | {"PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _end_with_starter() -> None:
    """Asks the kernel for SIGKILL when the run is gone, in whatever way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
