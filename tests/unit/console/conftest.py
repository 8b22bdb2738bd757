"""A console's people over an SQLite store in memory."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from console_world import World

from bridge.adapters.store import open_store
from bridge.adapters.store.schema import migrate

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a file system in memory, not a shared name


@pytest.fixture(scope="session")
def migrated_console_file() -> bytes:
    """An SQLite file with the schema."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        path = Path(folder) / "migrated.db"
        asyncio.run(migrate(f"sqlite:///{path}"))
        return path.read_bytes()


@pytest.fixture
async def people(migrated_console_file: bytes) -> AsyncIterator[World]:
    folder = tempfile.mkdtemp(dir=MEMORY)
    path = Path(folder) / "node.db"
    path.write_bytes(migrated_console_file)
    store = open_store(f"sqlite:///{path}")
    yield World(store)
    await store.close()
    shutil.rmtree(folder)
