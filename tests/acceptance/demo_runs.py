"""Runs `./scripts/demo` in a folder for temporary files of its own, and looks for what a run leaves behind."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from broker.keeper import PR_SET_PDEATHSIG

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 180.0


class DemoRun:
    """One run; everything that it makes, its broker's folder too, is under `temporary`.

    Args:
        temporary: an empty folder; its name is in the command line or the environment of every process of the run.
        options: for `./scripts/demo`.
    """

    def __init__(self, temporary: Path, *options: str | Path) -> None:
        self.temporary = temporary
        self._out, self._err = temporary.with_suffix(".out"), temporary.with_suffix(".err")
        environment = {name: value for name, value in os.environ.items() if name != "NCP_BRIDGE_AMQP_URL"}
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(  # noqa: S603 - our own script
                [ROOT / "scripts" / "demo", *map(str, options)],
                env=environment | {"TMPDIR": str(temporary)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,  # a process group of its own, as a shell gives it
                preexec_fn=_end_with_the_tests,  # noqa: PLW1509 - no thread of the tests holds what it needs
            )

    @property
    def out(self) -> str:
        """What it printed so far."""
        return self._out.read_text("utf-8")

    @property
    def story(self) -> str:
        """What it told so far."""
        return self._err.read_text("utf-8")

    def wait_for(self, told: str) -> None:
        """Until the story has come to this."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while told not in self.story:
            assert self.process.poll() is None, self.story
            assert time.monotonic() < deadline, self.story
            time.sleep(0.02)

    def left_processes(self) -> list[str]:
        """The processes that belong to the run, for a report."""
        mark = os.fsencode(self.temporary)
        return [name for name, belongings in _processes() if mark in belongings]


def _end_with_the_tests() -> None:
    """So that a run is not left for ever by tests that are killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _processes() -> Iterator[tuple[str, bytes]]:
    """Every process with its number and command, and everything that tells to whom it belongs."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with contextlib.suppress(OSError):  # it has ended meanwhile
                command_bytes = (process / "cmdline").read_bytes()
                place_bytes = os.fsencode((process / "cwd").readlink())
                name = f"{process.name} {command_bytes.replace(bytes(1), b' ').decode(errors='replace')}"
                yield name, command_bytes + (process / "environ").read_bytes() + place_bytes
