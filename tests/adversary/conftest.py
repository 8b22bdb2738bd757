"""Who is attacked: a contact point with a real database, a membership list, and three countries on a real broker."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

# Worlds that stand beside the tests they were made for; nothing is made twice to be attacked.
for place in ("unit/app", "unit/trust", "acceptance"):
    if str(TESTS / place) not in sys.path:
        sys.path.append(str(TESTS / place))

from bridge_node import Node  # noqa: E402 - found where the lines above say
from bridge_world import ListedTrust, ListPublisher, StillClock, directory  # noqa: E402 - the same
from trust_network import FOUNDED, SetClock, World, contact_point, found  # noqa: E402 - the same
from victim import Victim  # noqa: E402 - it needs them too

from bridge.adapters.store import open_store  # noqa: E402 - behind those
from bridge.adapters.store.schema import migrate  # noqa: E402 - the same


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("adversary") / "empty.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
async def victim(empty_database: Path, tmp_path: Path) -> AsyncIterator[Victim]:
    """Austria's contact point, which Serbia's keys and the broker turn against."""
    path = tmp_path / "node.db"
    shutil.copy(empty_database, path)
    store = open_store(f"sqlite:///{path}")
    yield Victim(Node(store, ListedTrust(directory()), StillClock(), ListPublisher()))
    await store.close()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A founded network of Serbia and Austria, and a node that reads its list."""
    repository = found(tmp_path / "network", contact_point("rs.ncp"), contact_point("at.ncp"))
    return World(tmp_path, repository, SetClock(FOUNDED))
