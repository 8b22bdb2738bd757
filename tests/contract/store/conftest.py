"""A migrated, empty store on each database. What the port promises must hold on both."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.store.schema import migrate

DATABASES = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("store") / "migrated.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database without any schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def store_url(database_url: str, request: pytest.FixtureRequest) -> str:
    """The address of a database with the schema and nothing else."""
    if database_url.startswith("sqlite"):
        shutil.copy(request.getfixturevalue("migrated_file"), database_url.removeprefix("sqlite:///"))
    else:
        asyncio.run(migrate(database_url))
    return database_url


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
