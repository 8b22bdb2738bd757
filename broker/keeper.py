"""The keeper: a small process that owns a server's folder and processes, and leaves neither behind.

The keeper reads a plan from standard input, starts the server and answers with one JSON line. It ends when standard
input ends, when the process that started it ends in whatever way, SIGKILL included, or on SIGTERM. Then it kills every
process below it, children of children too, and removes the folder. Killing is right here: what it keeps is thrown away.

Linux only. It uses the standard library alone, so that it starts in a moment.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
PR_SET_CHILD_SUBREAPER: Final = 36  # linux/prctl.h
LOG_TAIL_BYTES: Final = 800

Plan = dict[str, Any]
Facts = dict[str, Any]


class ReleasedError(Exception):
    """Nobody needs the server any more."""


class StartError(Exception):
    """The server did not start; the message says what it printed last."""


class Lifeline:
    """Standard input, the starter's life and SIGTERM in one: every wait in the keeper goes through here."""

    def __init__(self) -> None:
        self._buffer_bytes = b""
        self._starter = os.pidfd_open(os.getppid())
        self._signals, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)

    def pause(self, seconds: float) -> None:
        """Waits.

        Raises:
            ReleasedError: the server is not needed any more.
        """
        self._read(seconds)

    def next_line(self) -> str:
        """The next line of standard input.

        Raises:
            ReleasedError: the server is not needed any more.
        """
        while b"\n" not in self._buffer_bytes:
            self._read(None)
        line_bytes, _, self._buffer_bytes = self._buffer_bytes.partition(b"\n")
        return line_bytes.decode("utf-8")

    def _read(self, seconds: float | None) -> None:
        ready, _, _ = select.select([0, self._starter, self._signals], [], [], seconds)
        if self._starter in ready or self._signals in ready:
            raise ReleasedError
        if 0 in ready:
            received_bytes = os.read(0, 65536)
            if not received_bytes:
                raise ReleasedError
            self._buffer_bytes += received_bytes


class Server(Protocol):
    """What a keeper keeps."""

    def start(self) -> Facts:
        """Starts it in its folder and waits until it answers; what the starter has to know."""

    def restart(self) -> Facts:
        """Starts it again with the same data, after it was killed or as it runs."""


def keep(make: Callable[[Path, Plan, Lifeline], Server], *, prefix: str) -> int:
    """Keeps one server until it is released; the exit status."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans of the server become our children
    lifeline = Lifeline()
    folder = None
    try:
        plan = json.loads(lifeline.next_line())
        folder = Path(tempfile.mkdtemp(prefix=prefix))
        server = make(folder, plan, lifeline)
        _answer(server.start())
        while True:
            lifeline.next_line()  # there is one order only
            _answer(server.restart())
    except ReleasedError:
        return 0
    except (StartError, OSError, subprocess.SubprocessError) as error:
        _answer({"error": str(error)})
        return 1
    finally:
        end_children()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def launch(
    command: list[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    owner: tuple[int, int] | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a child that dies with the keeper and writes to `log` only; `owner` is the user and group it runs as."""
    user, group = owner or (None, None)
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - programs of the server that is kept
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=user,
            group=group,
            extra_groups=None if owner is None else [],
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - the keeper has one thread
        )


def end_children() -> None:
    """Kills and reaps all processes below this one; an orphan turns into a child when its parent is gone."""
    while True:
        for pid in children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def children() -> list[int]:
    """The process ids of the direct children."""
    own, found = os.getpid(), []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # pid (name) state ppid ...: the name may hold spaces and brackets
                if int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == own:
                    found.append(int(entry.name))
    return found


def last_words(log: Path) -> str:
    """The end of a log in one line."""
    with contextlib.suppress(OSError):
        return " ".join(log.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", errors="replace").split())
    return ""


def wait_until(
    answers: Callable[[], bool],
    *,
    process: subprocess.Popen[bytes],
    lifeline: Lifeline,
    seconds: float,
    log: Path,
    name: str,
) -> None:
    """Asks again and again until the server answers.

    Raises:
        StartError: it ended, or the time is over.
        ReleasedError: it is not needed any more.
    """
    deadline = time.monotonic() + seconds
    while not answers():
        if process.poll() is not None:
            message = f"{name} ended with status {process.returncode}: {last_words(log)}"
            raise StartError(message)
        if time.monotonic() > deadline:
            message = f"{name} did not answer within {seconds:.0f} s: {last_words(log)}"
            raise StartError(message)
        lifeline.pause(0.05)


def _answer(facts: Facts) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def _die_with_parent() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0)


_LIBC = ctypes.CDLL(None, use_errno=True)
