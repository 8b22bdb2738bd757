"""What the databases' drivers report, as the bridge's own errors: full, read-only, locked, or away.

An operator does something else about each of the first three, so that each has a code of its own; everything that is
none of them is `E_DATABASE`. SQLite's codes: https://sqlite.org/rescode.html. PostgreSQL's: its manual, appendix A.
"""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

from sqlalchemy.exc import DBAPIError

from bridge.core.errors import UnavailableError

FULL: Final = "E_DATABASE_FULL"
READ_ONLY: Final = "E_DATABASE_READ_ONLY"
LOCKED: Final = "E_DATABASE_LOCKED"
OTHER: Final = "E_DATABASE"

_SENTENCES: Final = {
    FULL: "the database's disk is full",
    READ_ONLY: "the database can only be read",
    LOCKED: "another transaction keeps the database locked",
    OTHER: "the database failed",
}
# By the primary code, except where an extended one says more: SQLite writes to its index of the log before it is used,
# so that a full disk is an error here instead of a signal that ends the process.
_OF_SQLITE: Final = {
    sqlite3.SQLITE_FULL: FULL,
    sqlite3.SQLITE_READONLY: READ_ONLY,
    sqlite3.SQLITE_BUSY: LOCKED,
    sqlite3.SQLITE_LOCKED: LOCKED,
    sqlite3.SQLITE_IOERR_SHMSIZE: FULL,
}
_PRIMARY: Final = 0xFF
_OF_POSTGRESQL: Final = {
    "53100": FULL,  # disk_full
    "25006": READ_ONLY,  # read_only_sql_transaction
    "55P03": LOCKED,  # lock_not_available
    "57014": LOCKED,  # query_canceled: a time limit of the server's
    "40P01": LOCKED,  # deadlock_detected
}
_OF_SYSTEM: Final = {errno.ENOSPC: FULL, errno.EDQUOT: FULL, errno.EROFS: READ_ONLY}


def database_fault(error: DBAPIError) -> UnavailableError:
    """The error for what a driver raised."""
    code = _code(error.orig)
    return UnavailableError(code, f"{_SENTENCES[code]}: {first_line(error.orig)}")


def system_fault(error: Exception) -> UnavailableError:
    """The error for what the operating system, the network or the pool raised."""
    code = _OF_SYSTEM.get(getattr(error, "errno", None) or 0, OTHER)
    sentence = "the database cannot be reached" if code == OTHER else _SENTENCES[code]
    return UnavailableError(code, f"{sentence}: {first_line(error)}")


def first_line(error: BaseException | None) -> str:
    """An error's words, without what a driver adds below them."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _code(error: BaseException | None) -> str:
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        return _OF_POSTGRESQL.get(sqlstate, OTHER)
    extended = getattr(error, "sqlite_errorcode", None)
    if isinstance(extended, int):
        return _OF_SQLITE.get(extended) or _OF_SQLITE.get(extended & _PRIMARY, OTHER)
    return OTHER
