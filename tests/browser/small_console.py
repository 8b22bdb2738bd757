"""A console with people and without a node, on a free port, in the browser's event loop."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.adapters.store import open_store
from bridge.adapters.store.schema import migrate
from bridge.web.serving import WebService

sys.path.append(str(Path(__file__).parents[1] / "unit" / "console"))

from console_world import PASSWORD, World

__all__ = ["PASSWORD", "World", "console_at", "free_origin", "people_in"]


@asynccontextmanager
async def people_in(folder: Path) -> AsyncIterator[World]:
    """People over a database of their own; nobody has an account yet."""
    url = f"sqlite:///{folder / 'node.db'}"
    await migrate(url)
    store = open_store(url)
    yield World(store)
    await store.close()


def free_origin() -> str:
    """Where a console may listen."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@asynccontextmanager
async def console_at(origin: str, world: World) -> AsyncIterator[None]:
    """Serves it there until the block ends."""
    ready, stop = asyncio.Event(), asyncio.Event()
    place = ("127.0.0.1", int(origin.rpartition(":")[2]))
    service = WebService("console", world.app(origin=origin), place, None, lambda _: ready.set())
    running = asyncio.create_task(service.run(stop))
    await ready.wait()
    yield
    stop.set()
    await asyncio.wait_for(running, 30)
