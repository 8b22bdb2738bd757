"""Whether anybody has changed the database, asked often by whoever would otherwise look into it as often.

SQLite counts it for each connection: `data_version` is another number once another connection, of whatever process, has
committed a change (sqlite.org/pragma.html#pragma_data_version). Asking takes microseconds, no lock and no thread.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from bridge.adapters.store.in_use import SharedUse
from bridge.core.errors import UnavailableError


class SqliteChanges:
    """Marks of one database file; the connection for them is opened when the first is asked for."""

    def __init__(self, path: Path) -> None:
        self._path, self._use = path, SharedUse(path)
        self._connection: sqlite3.Connection | None = None

    def mark(self) -> object:
        """Equal to the one before as long as nobody has committed a change; never where the file cannot be read."""
        try:
            return self._opened().execute("PRAGMA data_version").fetchone()
        except (sqlite3.Error, OSError, UnavailableError):
            self.close()
            return object()

    def close(self) -> None:
        """Closes the connection; the next mark opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()
        self._use.end()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._use.begin()
            self._connection = sqlite3.connect(f"{self._path.as_uri()}?mode=rw", uri=True, timeout=0)
        return self._connection
