"""Databases as released programs left them: one file a revision, with real signed messages, loaded with plain SQL.

A file comes from a node that the released program itself ran, never from today's code:
`python tests/contract/store/released_databases.py NODE.DB > tests/contract/store/released/<revision>.json`
"""

from __future__ import annotations

import asyncio
import base64
import json
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from bridge.adapters.store import migrations

FOLDER = Path(__file__).with_name("released")
MIGRATIONS = Path(str(migrations.__file__)).parent
# Whoever is referred to comes first.
FIRST = ("wire", "sequence_stream", "message", "recipient", "quarantine")


@dataclass(frozen=True)
class Table:
    """The rows of one table, sorted, with the columns that it had."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def revisions() -> list[str]:
    """Every revision, oldest first."""
    return [script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()][::-1]


def tables_of(revision: str) -> list[Table]:
    """What a released program left at this revision; without alembic's own table."""
    kept = json.loads((FOLDER / f"{revision}.json").read_text("utf-8"))
    return [
        Table(name, table["columns"], [[_read(value) for value in row] for row in table["rows"]])
        for name, table in kept.items()
    ]


def create(url: str, revision: str) -> None:
    """The empty tables of this revision, made by the migrations up to it; what they insert is removed again."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        Path(str(parsed.database)).touch(mode=0o600)
        engine = create_engine(f"sqlite:///{parsed.database}")
        with engine.begin() as connection:
            _upgrade(connection, config, revision)
        engine.dispose()
    else:
        _run_async(_create_on_server(url, config, revision))


def insert(url: str, tables: Sequence[Table]) -> None:
    """Every row with the columns that the released program knew, and no others."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(parsed.database))) as connection, connection:
            connection.execute("PRAGMA journal_mode = WAL")
            for table in tables:
                marks = ", ".join("?" * len(table.columns))
                connection.executemany(f"{_into(table)} VALUES ({marks})", table.rows)
    else:
        _run_async(_insert_on_server(url, tables))


def rows(url: str, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The rows of a table in these columns, sorted."""
    query = f"SELECT {_names(columns)} FROM {table}"  # noqa: S608 - the names are ours
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(parsed.database))) as connection:
            found = [tuple(row) for row in connection.execute(query)]
    else:
        found = [tuple(row) for row in _run_async(_fetch(url, query))]
    return sorted(found, key=repr)


def execute(url: str, statement: str) -> None:
    """One statement, past the program."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(str(parsed.database))) as connection, connection:
            connection.execute(statement)
    else:
        _run_async(_fetch(url, statement))


def table_names(url: str) -> set[str]:
    """The tables that are there."""
    sqlite = make_url(url).get_backend_name() == "sqlite"
    query = (
        "sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        if sqlite
        else "(SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public') AS t"
    )
    return {name for (name,) in rows(url, query, ["name"])}


def dump(database: Path) -> Mapping[str, Any]:
    """A node's SQLite database as one of the files."""
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        names = {name for (name,) in connection.execute(query)} - {"alembic_version"}
        ordered = [*(name for name in FIRST if name in names), *sorted(names - set(FIRST))]
        return {name: _dumped(connection, name) for name in ordered}


def _dumped(connection: sqlite3.Connection, table: str) -> Mapping[str, Any]:
    cursor = connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")  # noqa: S608 - the names are ours
    columns = [column[0] for column in cursor.description]
    return {"columns": columns, "rows": [[_written(value) for value in row] for row in cursor]}


def _written(value: object) -> object:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _read(value: object) -> object:
    return base64.b64decode(value["base64"]) if isinstance(value, dict) else value


def _into(table: Table) -> str:
    return f"INSERT INTO {table.name} ({_names(table.columns)})"


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _upgrade(connection: Connection, config: Config, revision: str) -> None:
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.exec_driver_sql("DELETE FROM node_state")


async def _create_on_server(url: str, config: Config, revision: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"))
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade, config, revision)
    await engine.dispose()


async def _insert_on_server(url: str, tables: Sequence[Table]) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    for table in tables:
        marks = ", ".join(f"${index + 1}" for index in range(len(table.columns)))
        await connection.executemany(f"{_into(table)} VALUES ({marks})", table.rows)
        counter = {"position", "id"} & set(table.columns)
        for column in counter:  # explicit values do not move the counter on, which the program's own inserts did
            found = await connection.fetchval("SELECT pg_get_serial_sequence($1, $2)", table.name, column)
            if found is not None:
                await connection.execute(f"SELECT setval('{found}', (SELECT max({column}) FROM {table.name}))")  # noqa: S608 - the names are ours
    await connection.close()


async def _fetch(url: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        found: list[Any] = await connection.fetch(query)
        return found
    finally:
        await connection.close()


def _run_async(work: Any) -> Any:  # noqa: ANN401 - whatever the work answers
    """In a loop of its own, also below a test that has one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, work).result()


if __name__ == "__main__":
    json.dump(dump(Path(sys.argv[1])), sys.stdout, indent=1)
