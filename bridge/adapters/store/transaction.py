"""One database transaction as the repositories see it: statements in, rows out, never an exception of the driver.

It hides the two constructs in which SQLite and PostgreSQL differ (`INSERT ... ON CONFLICT`, and one transaction waiting
for another), and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final, TypeVar

from sqlalchemy import CursorResult, Executable, RowMapping, Table, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.adapters.store.database_faults import database_fault, system_fault
from bridge.core.errors import UnavailableError

Values = Mapping[str, object]
T = TypeVar("T")

BRIEFLY_MILLISECONDS: Final = 1500  # readiness is answered within two seconds

# SQLite takes 32,766 parameters in a statement, PostgreSQL 32,767.
MOST_IN_A_LIST: Final = 5000


class Transaction:
    """Runs statements in one open transaction, and remembers a failure: what failed once must not be committed."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._is_sqlite = connection.dialect.name == "sqlite"
        self._failure: UnavailableError | None = None

    async def rows(self, statement: Executable) -> Sequence[RowMapping]:
        """All rows of a query."""
        return (await self._execute(statement, None)).mappings().all()

    async def change(self, statement: Executable) -> int:
        """Runs one changing statement; answers how many rows it matched."""
        return (await self._execute(statement, None)).rowcount

    async def change_each(self, statement: Executable, values: Sequence[Values]) -> None:
        """Runs a changing statement once per element of `values`; nothing happens when there is none."""
        if values:
            await self._execute(statement, values)

    async def take_turn(self, name: str) -> None:
        """Waits until no other transaction has this turn and keeps it to the end; SQLite has one writer anyway."""
        if not self._is_sqlite:
            await self.rows(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))

    async def wait_briefly(self) -> None:
        """From here on a lock of another transaction is waited for briefly only; SQLite has waited when it began."""
        if not self._is_sqlite:
            await self._execute(text(f"SET LOCAL lock_timeout = {BRIEFLY_MILLISECONDS}"), None)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT."""
        return sqlite.insert(table) if self._is_sqlite else postgresql.insert(table)

    def check(self) -> None:
        """Raises the failure of an earlier statement, even if the caller has swallowed it since."""
        if self._failure is not None:
            raise self._failure

    async def _execute(
        self, statement: Executable, values: Sequence[Values] | None
    ) -> CursorResult[*tuple[object, ...]]:
        try:
            with translated():
                return await self._connection.execute(statement, values)
        except UnavailableError as error:
            self._failure = error
            raise


@contextmanager
def translated() -> Iterator[None]:
    """Turns every failure of database, driver, pool or network into `UnavailableError` (`database_faults`)."""
    try:
        yield
    except DBAPIError as error:
        raise database_fault(error) from error
    except (PoolTimeoutError, OSError) as error:
        raise system_fault(error) from error


def in_parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Slices that fit the databases' limit of parameters in a statement."""
    for start in range(0, len(values), MOST_IN_A_LIST):
        yield values[start : start + MOST_IN_A_LIST]
