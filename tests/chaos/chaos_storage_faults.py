"""Faults below the databases: PostgreSQL silent or killed, a file locked by somebody else, a disk that is full."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from servers.private_postgres import PrivatePostgres


@contextmanager
def paused_postgres(postgres: PrivatePostgres) -> Iterator[None]:
    """Every process of the server is stopped inside: connections stay, nobody answers."""
    stopped: list[int] = []
    try:
        for pid in [_postmaster(postgres), *_children(_postmaster(postgres))]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
        yield
    finally:
        for pid in reversed(stopped):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def kill_postgres(postgres: PrivatePostgres) -> None:
    """Kills a server process: the server ends every connection, throws its memory away and recovers from its log."""
    victims = _children(_postmaster(postgres))
    with contextlib.suppress(ProcessLookupError):
        os.kill(random.choice(victims), signal.SIGKILL)  # noqa: S311 - whichever


def locked_file(database: Path, *, seconds: float, patience: float) -> None:
    """Holds the write lock of an SQLite file for so long; blocks."""
    with closing(sqlite3.connect(database, timeout=patience, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


@contextmanager
def filled_disk(folder: Path) -> Iterator[None]:
    """The file system of `folder` has no byte left inside."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        size = 0
        room = _room(folder)
        while room:
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), size, room)
                size += room
                room = _room(folder)
                continue
            room //= 2
    try:
        yield
    finally:
        ballast.unlink()


def _room(folder: Path) -> int:
    facts = os.statvfs(folder)
    return facts.f_bavail * facts.f_frsize


def _postmaster(postgres: PrivatePostgres) -> int:
    return int((postgres.folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
