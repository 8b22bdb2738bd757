"""A node with a real SQLite store; time stands still."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from bridge_node import Node
from bridge_world import ListedTrust, ListPublisher, StillClock, directory
from peer_worlds import MEMORY, Network, network

from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.store.schema import migrate


@pytest.fixture(scope="session")
def migrated_node_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("node") / "migrated.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def memory_folder() -> Iterator[Path]:
    """A folder for databases; the disk is no part of these tests, and its syncs would be most of their time."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        yield Path(folder)


@pytest.fixture
async def world(memory_folder: Path, migrated_node_file: Path) -> AsyncIterator[Network]:
    """Serbia and Austria, and what goes to and fro."""
    async with network(memory_folder, migrated_node_file) as made:
        yield made


@pytest.fixture
async def store(migrated_node_file: Path, memory_folder: Path) -> AsyncIterator[SqlStore]:
    path = memory_folder / "node.db"
    shutil.copy(migrated_node_file, path)
    opened = open_store(f"sqlite:///{path}")
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def trust() -> ListedTrust:
    return ListedTrust(directory())


@pytest.fixture
def publisher() -> ListPublisher:
    return ListPublisher()


@pytest.fixture
def node(store: SqlStore, trust: ListedTrust, clock: StillClock, publisher: ListPublisher) -> Node:
    return Node(store, trust, clock, publisher)
