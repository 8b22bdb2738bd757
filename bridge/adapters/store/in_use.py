"""Who uses a node's database: programs share it, a restore has it alone.

Every program of the node that opens the database says so with a lock that ends with the process, however it ends: for
SQLite a shared lock on `<database>.lock` beside it, for PostgreSQL a shared advisory lock of each connection. A restore
takes the same lock for itself: it does not begin while anybody uses the database, and nobody opens it meanwhile.

It does not see programs that are not ours, nor those older than this lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy.engine.interfaces import DBAPIConnection

from bridge.core.errors import RefusedError, UnavailableError

_ADVISORY_LOCK: Final = 0x6E6371  # any number, the same in every process ("ncp" + 1; migrations have "ncp")
_OWNER_ONLY: Final = 0o600
_RESTORING: Final = "the database is being restored; wait until that has ended"
_RUNNING: Final = "the node runs, or a command is using its database; stop it (SIGTERM) and restore then"


class SharedUse:
    """A program's use of an SQLite database, from the first connection until the engine is disposed."""

    def __init__(self, database: Path) -> None:
        self._file = lock_file_of(database)
        self._handle: int | None = None

    def begin(self) -> None:
        """Shares the database with other programs; doing it again changes nothing.

        Raises:
            UnavailableError: `E_DATABASE_RESTORE`, a restore has it alone.
            OSError: the lock file cannot be made.
        """
        if self._handle is not None:
            return
        handle = _open(self._file)
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise UnavailableError("E_DATABASE_RESTORE", _RESTORING) from None
        self._handle = handle

    def end(self) -> None:
        """Shares it no longer; doing it again changes nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@contextmanager
def alone_with_file(database: Path) -> Iterator[None]:
    """Has an SQLite database alone inside, also one that is not there.

    Raises:
        RefusedError: `E_NODE_RUNNING`, somebody uses it.
        OSError: the lock file cannot be made.
    """
    handle = _open(lock_file_of(database))
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RefusedError("E_NODE_RUNNING", _RUNNING) from None
        yield
    finally:
        os.close(handle)


def share_server(connection: DBAPIConnection, _entry: object) -> None:
    """A new connection to PostgreSQL shares its database for as long as it lasts; raises like `SharedUse.begin`."""
    if not _asked(connection, f"SELECT pg_try_advisory_lock_shared({_ADVISORY_LOCK})"):
        raise UnavailableError("E_DATABASE_RESTORE", _RESTORING)


def take_server_alone(connection: DBAPIConnection, _entry: object) -> None:
    """A new connection to PostgreSQL has its database alone for as long as it lasts; raises like `alone_with_file`."""
    if not _asked(connection, f"SELECT pg_try_advisory_lock({_ADVISORY_LOCK})"):
        raise RefusedError("E_NODE_RUNNING", _RUNNING)


def lock_file_of(database: Path) -> Path:
    """Where the lock of an SQLite database is. It stays when nobody uses the database."""
    return database.with_name(f"{database.name}.lock")


def _open(file: Path) -> int:
    try:
        return os.open(file, os.O_RDONLY | os.O_CLOEXEC)  # enough for a lock, also on a file system made read-only
    except FileNotFoundError:
        return os.open(file, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, _OWNER_ONLY)


def _asked(connection: DBAPIConnection, question: str) -> bool:
    cursor = connection.cursor()
    cursor.execute(question)
    ((answer,),) = cursor.fetchall()
    cursor.close()
    connection.rollback()  # the lock belongs to the session, not to the transaction
    return bool(answer)
