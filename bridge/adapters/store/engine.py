"""From a database URL to an engine: SQLite by default, PostgreSQL for a real node.

SQLite: WAL, every commit synchronised, foreign keys checked, erased bytes overwritten, and transactions begun by us,
because the driver would begin them late and deferred: a writer says BEGIN IMMEDIATE and so waits its turn instead of
failing half-way, a reader cannot write. The file is never created by opening it, see `create_file`.

Whoever opens a database shares it with the node's other programs, and nobody opens it during a restore, see `in_use`.
"""

from __future__ import annotations

import errno
import os
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bridge.adapters.store.in_use import SharedUse, share_server, take_server_alone
from bridge.core.errors import BadInputError, UnavailableError

READS_ONLY: Final = "reads_only"  # execution option of an engine whose transactions must not write
WAIT_SECONDS: Final = 10  # for another process's lock, for a connection, for the server to answer
STATEMENT_SECONDS: Final = 30
PATIENT_SECONDS: Final = 3600  # for a migration or a restore, and for whoever waits for one
OWNER_ONLY: Final = 0o600

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",
)


def make_engine(url: str, *, patient: bool = False, alone: bool = False) -> AsyncEngine:
    """The engine for `sqlite:///<path>` or `postgresql://...`; nothing is opened yet.

    Args:
        url: of the database.
        patient: statements, and the wait for another process's transaction, may take an hour: for migrations.
        alone: connecting to PostgreSQL is refused while a program of the node uses the database, and nobody else can
            open it then (`E_NODE_RUNNING`). SQLite has `in_use.alone_with_file`.

    Raises:
        BadInputError: `E_DATABASE_URL`, neither of the two.
        UnavailableError: `E_DATABASE`, PostgreSQL's driver is not installed.
    """
    parsed = parse_url(url)
    if is_sqlite(parsed):
        return _sqlite_engine(sqlite_path(parsed), wait_seconds=PATIENT_SECONDS if patient else WAIT_SECONDS)
    seconds = PATIENT_SECONDS if patient else STATEMENT_SECONDS
    try:
        engine = create_async_engine(
            parsed.set(drivername="postgresql+asyncpg"),
            hide_parameters=True,
            pool_pre_ping=True,
            pool_timeout=WAIT_SECONDS,
            connect_args={"timeout": WAIT_SECONDS, "command_timeout": seconds},
        )
    except ModuleNotFoundError:
        raise UnavailableError("E_DATABASE", "PostgreSQL needs the extra: pip install 'ncp-bridge[postgres]'") from None
    event.listen(engine.sync_engine, "connect", take_server_alone if alone else share_server)
    return engine


def create_file(url: str) -> None:
    """Makes the SQLite file, readable by its owner only, when there is none yet; PostgreSQL needs nothing.

    Raises:
        UnavailableError: `E_DATABASE`, the folder is missing or not writable.
    """
    parsed = parse_url(url)
    if not is_sqlite(parsed):
        return
    path = sqlite_path(parsed)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    except FileExistsError:
        return
    except OSError as error:
        raise UnavailableError("E_DATABASE", f"{path} cannot be created: {error.strerror}") from error


def parse_url(url: str) -> URL:
    """The parts of a database URL.

    Raises:
        BadInputError: `E_DATABASE_URL`.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername not in {"sqlite", "postgresql"}:
        raise BadInputError("E_DATABASE_URL", "the database URL is neither sqlite:///<path> nor postgresql://...")
    return parsed


def is_sqlite(url: URL) -> bool:
    """Whether it is SQLite; otherwise it is PostgreSQL."""
    return url.get_backend_name() == "sqlite"


def sqlite_path(url: URL) -> Path:
    """The file of an SQLite database.

    Raises:
        BadInputError: `E_DATABASE_URL`, it names no file or more than a file.
    """
    if not url.database or url.database == ":memory:" or url.query:
        raise BadInputError("E_DATABASE_URL", "an SQLite database URL is sqlite:///<path>, nothing more")
    return Path(url.database).absolute()


def _sqlite_engine(path: Path, *, wait_seconds: float) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///file:{quote(quote(str(path)))}?mode=rw&uri=true",
        hide_parameters=True,
        pool_timeout=WAIT_SECONDS,
        pool_use_lifo=True,  # the connection used last has the pages in its cache
        connect_args={"timeout": wait_seconds},
    )
    use = SharedUse(path)
    event.listen(engine.sync_engine, "do_connect", partial(_check_file, path, use))
    event.listen(engine.sync_engine, "engine_disposed", lambda _: use.end())
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _check_file(path: Path, use: SharedUse, *_: object) -> None:
    """Fails before the driver does, whose thread would complain on standard error once the loop is gone.

    It must not open the file: closing it again would drop the locks that this process's other connections hold.
    """
    if not os.access(path, os.R_OK | os.W_OK):
        if path.exists() and os.statvfs(path).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, "is on a file system that can only be read", str(path))
        raise PermissionError(errno.EACCES, "is missing, or not readable and writable", str(path))
    use.begin()


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver begins nothing of its own accord
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    reads_only = bool(connection.get_execution_options().get(READS_ONLY))
    if connection.info.get(READS_ONLY, False) != reads_only:
        connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads_only else 'OFF'}")
        connection.info[READS_ONLY] = reads_only
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")
