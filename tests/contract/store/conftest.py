"""A store on each database, migrated and empty. What the port promises must hold on both.

Migrating costs more than a test: SQLite's file is copied, PostgreSQL's database is emptied again after each test.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url

from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.store.schema import migrate
from bridge.adapters.store.tables import metadata, node_state

EMPTY = "; ".join(
    f"DELETE FROM {table.name}"  # noqa: S608 - the names are ours
    for table in reversed(metadata.sorted_tables)
    if table is not node_state
)
EMPTY += "; UPDATE node_state SET epoch = 1, restored_at = NULL"
DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def empty_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any schema; the SQLite file is not there yet."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The address of the session's database with the schema."""
    name = f"store_contract_{secrets.token_hex(4)}"
    asyncio.run(_execute(postgres_server, f"CREATE DATABASE {name}"))
    url = make_url(postgres_server).set(database=name).render_as_string(hide_password=False)
    asyncio.run(migrate(url))
    yield url
    asyncio.run(_execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def store_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with the schema and nothing else."""
    if database == "sqlite":
        path = tmp_path / "store.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite:///{path}"
    else:
        url: str = request.getfixturevalue("migrated_postgres")
        yield url
        asyncio.run(_execute(url, EMPTY))


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[SqlStore]:
    opened = open_store(store_url)
    yield opened
    await opened.close()


@pytest.fixture
async def other_store(store_url: str) -> AsyncIterator[SqlStore]:
    """Another process's view of the same database: connections and locks of its own."""
    opened = open_store(store_url)
    yield opened
    await opened.close()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        await connection.execute(statement, timeout=30)
    finally:
        await connection.close(timeout=30)
