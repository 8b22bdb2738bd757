"""Creates and upgrades the database's schema with the migrations that come with this program.

A migration is one transaction on both databases: killed in the middle, it never happened. Several processes may migrate
at once; they take turns, and so do several tasks and threads of one process, because alembic keeps its context in a
global. A schema newer than this program is refused, never touched. Numbers that a program of the release before wrote
none of are filled in at every start (`signed_numbers`).

A new migration: change `tables.py`, write `migrations/versions/<revision>_<name>.py`, raise `SCHEMA_REVISION`, and keep
a database of the revision before it for the tests (docs/decisions/0018-expand-and-contract.md).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.adapters.store.engine import create_file, make_engine
from bridge.adapters.store.signed_numbers import fill_in_first_numbers, fill_in_numbers
from bridge.adapters.store.tables import SCHEMA_REVISION
from bridge.adapters.store.transaction import translated
from bridge.core.errors import UnavailableError

_ADVISORY_LOCK: Final = 0x6E6370  # any number, the same in every process ("ncp")
_TURN: Final = threading.Lock()
_TURN_SECONDS: Final = 0.01


async def migrate(url: str) -> None:
    """Creates the schema or brings it up to this program's; an SQLite file is created readable by its owner only.

    Raises:
        BadInputError: `E_DATABASE_URL`.
        UnavailableError: `E_DATABASE`, it cannot be reached or written; `E_DATABASE_SCHEMA`, it is newer than we are.
    """
    create_file(url)
    engine = make_engine(url, patient=True)
    try:
        with translated():
            async with engine.begin() as connection:
                await upgrade(connection)
    finally:
        await engine.dispose()


async def upgrade(connection: AsyncConnection) -> None:
    """The same within a transaction that the caller commits.

    Raises:
        UnavailableError: `E_DATABASE_SCHEMA`, the schema is newer than we are.
    """
    async with _turn():
        await connection.run_sync(_upgrade)


@asynccontextmanager
async def _turn() -> AsyncIterator[None]:
    """One migration at a time in this process, whatever loops and threads it has."""
    while not _TURN.acquire(blocking=False):  # noqa: ASYNC110 - whoever has it may be in another thread's loop
        await asyncio.sleep(_TURN_SECONDS)
    try:
        yield
    finally:
        _TURN.release()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    current = _current_revision(connection)
    if current != SCHEMA_REVISION:
        _migrate_from(current, connection)
    fill_in_numbers(connection)
    fill_in_first_numbers(connection)


def _current_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate_from(current: str | None, connection: Connection) -> None:
    from bridge.adapters.store.revisions import known_revisions, run_migrations  # noqa: PLC0415 - see there

    if current is not None and current not in known_revisions():
        detail = f"the database has schema {current}, which this program does not know; it needs a newer program"
        raise UnavailableError("E_DATABASE_SCHEMA", detail)
    run_migrations(connection)
