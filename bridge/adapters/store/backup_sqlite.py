"""SQLite's copy for a backup, and putting one in the place of the node's database.

Copying reads one moment of the database in steps: writers go on meanwhile and never wait for it. Restoring makes the
new database ready beside the present one and then gives it its name, so that at every moment the name stands for the
old database or for the new one.
"""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from bridge.adapters.store.backup_file import Progress, read_backup
from bridge.adapters.store.engine import WAIT_SECONDS, make_engine
from bridge.adapters.store.in_use import SharedUse, alone_with_file, lock_file_of
from bridge.adapters.store.renewal import Restored, Restoring, renew
from bridge.adapters.store.transaction import translated
from bridge.core.errors import RefusedError, UnavailableError
from bridge.core.times import format_time
from bridge.private_files import sync_folder

_PAGES_AT_ONCE: Final = 1024
# Beside the main file: what was committed last, its index, an older program's journal.
_COMPANIONS: Final = ("-wal", "-shm", "-journal")
_RESTORING: Final = ".restoring"
_KEPT: Final = ".kept-"
_BROKEN: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_COUNTS: Final = """
    SELECT (SELECT version_num FROM alembic_version) AS revision, (SELECT epoch FROM node_state) AS epoch,
           (SELECT count(*) FROM message) AS messages, (SELECT count(*) FROM inbox) AS inbox,
           (SELECT count(*) FROM outbox WHERE sent_at IS NULL) AS unsent
"""
Facts = dict[str, object]


def copy_sqlite(database: Path, to: Path, *, progress: Progress) -> Facts:
    """Copies the database, which may be in use, to the existing empty file `to`, and checks the copy.

    Returns:
        `revision`, `epoch`, `messages`, `inbox`, `unsent` of the copy.

    Raises:
        UnavailableError: `E_DATABASE`, it is not there, damaged, or the copy cannot be written.
    """
    use = SharedUse(database)
    with _in_words(database):
        if not database.exists():
            raise UnavailableError("E_DATABASE", f"{database} is not there")
        use.begin()
        try:
            with closing(_open(database)) as source, closing(_open(to)) as copy:
                # A read transaction of our own: without it, the copy would begin anew at every commit of somebody else.
                source.execute("BEGIN")
                source.execute("SELECT count(*) FROM sqlite_master").fetchone()
                copy.execute("PRAGMA synchronous = OFF")  # synchronised once, in the archive
                source.backup(copy, pages=_PAGES_AT_ONCE, progress=_steps(progress))
                source.execute("ROLLBACK")
        finally:
            use.end()
    progress("checking", 0, 1)
    facts = check_copy(to)
    progress("checking", 1, 1)
    return facts


def check_copy(copy: Path) -> Facts:
    """Proves that nobody uses the copy and that it is whole; it is one file then. Answers its facts.

    Raises:
        UnavailableError: `E_DATABASE`, a page, an index or a reference is damaged.
    """
    with _in_words(copy), closing(_open(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check(3)")]
        found += [f"{table} refers to a row that is not there" for table, *_ in _broken_references(connection)]
        if found != ["ok"]:
            raise UnavailableError("E_DATABASE", f"the database is damaged: {found[-1]}")
        connection.row_factory = sqlite3.Row
        return dict(connection.execute(_COUNTS).fetchone())


async def restore_sqlite(database: Path, backup: Path, restoring: Restoring, *, progress: Progress) -> Restored:
    """Puts the database of a backup in the place of this one, which is kept under a dated name.

    Raises:
        RefusedError: `E_NODE_RUNNING`; `E_BACKUP_DAMAGED`.
        UnavailableError: `E_DATABASE`, `E_FILE`.
    """
    with _in_words(database), alone_with_file(database):
        incoming = database.with_name(database.name + _RESTORING)
        _remove(incoming)  # of a restore that was cut off
        _forget_second_names(database)
        try:
            _make_private(incoming)
            progress("copying", 0, 1)
            read_backup(backup, database_to=incoming)
            check_copy(incoming)
            progress("copying", 1, 1)
            aside = database.with_name(f"{database.name}{_KEPT}{_stamp(restoring)}")
            present = _settle(database, aside)
            restored = await _renewed(incoming, restoring, above=present)
            kept = _exchange(incoming, database, aside)
        finally:
            _remove(incoming)
    return Restored(restored.epoch, restored.previous, restored.messages, restored.inbox, str(aside) if kept else None)


async def _renewed(incoming: Path, restoring: Restoring, *, above: int) -> Restored:
    engine = make_engine(f"sqlite:///{incoming}", patient=True)
    try:
        with translated():
            async with engine.begin() as connection:
                restored = await renew(connection, restoring, above=above)
    finally:
        await engine.dispose()
    with closing(_open(incoming)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")  # everything is in the one file that is renamed
    with incoming.open("rb") as file:
        os.fsync(file.fileno())
    return restored


def _settle(database: Path, aside: Path) -> int:
    """Brings what was committed last into the present database's one file; answers its epoch, 0 when there is none.

    It needs the file alone, so that it also finds programs that know nothing of our lock. Of a database that cannot be
    read, SQLite may remove the log: it keeps a second name from before.
    """
    if not database.exists():
        return 0
    logs = [ending for ending in _COMPANIONS if _link(database, aside, ending)]
    try:
        with closing(_open(database)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            for ending in logs:
                Path(f"{aside}{ending}").unlink()
            with contextlib.suppress(sqlite3.OperationalError):  # a file without our tables
                return int(connection.execute("SELECT epoch FROM node_state").fetchone()[0])
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code not in _BROKEN:
            for ending in logs:
                Path(f"{aside}{ending}").unlink(missing_ok=True)
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise RefusedError("E_NODE_RUNNING", f"another program uses {database}; stop it and restore then") from None
        if code not in _BROKEN:
            raise
    return 0  # it cannot be read: that is why a backup is restored


def _exchange(incoming: Path, database: Path, aside: Path) -> bool:
    """Gives the new database its name; the present one keeps a second one. Answers whether there was one."""
    kept = [_link(database, aside, ending) for ending in ("", *_COMPANIONS)]
    sync_folder(database.parent)
    for ending in _COMPANIONS:  # only beside a database that cannot be read; the new one must not find them
        Path(f"{database}{ending}").unlink(missing_ok=True)
    incoming.rename(database)
    sync_folder(database.parent)
    return any(kept)


def _link(database: Path, aside: Path, ending: str) -> bool:
    """Gives a file a second name, unless it is not there; answers whether it is."""
    with contextlib.suppress(FileExistsError):
        try:
            os.link(f"{database}{ending}", f"{aside}{ending}")
        except FileNotFoundError:
            return False
    return True


def _forget_second_names(database: Path) -> None:
    """A restore that was cut off before the exchange has left one of the present database."""
    for ending in ("", *_COMPANIONS):
        file = Path(f"{database}{ending}")
        asides = database.parent.glob(f"{glob.escape(database.name)}{_KEPT}*") if file.exists() else ()
        for aside in asides:
            if aside.samefile(file):
                aside.unlink()


def _remove(incoming: Path) -> None:
    for ending in ("", *_COMPANIONS):
        Path(f"{incoming}{ending}").unlink(missing_ok=True)
    lock_file_of(incoming).unlink(missing_ok=True)


def _make_private(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, timeout=WAIT_SECONDS, cached_statements=0
    )


def _broken_references(connection: sqlite3.Connection) -> list[tuple[object, ...]]:
    return connection.execute("PRAGMA foreign_key_check").fetchmany(3)


def _steps(progress: Progress) -> Callable[[int, int, int], None]:
    def step(_status: int, remaining: int, total: int) -> None:
        progress("copying", total - remaining, total)

    return step


def _stamp(restoring: Restoring) -> str:
    return format_time(restoring.now).replace("-", "").replace(":", "")


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """SQLite's own failures, and the file system's, as one sentence."""
    try:
        yield
    except sqlite3.Error as error:
        raise UnavailableError("E_DATABASE", f"{path}: {error}") from error
    except OSError as error:
        raise UnavailableError("E_DATABASE", f"{error.filename or path}: {error.strerror or error}") from error
