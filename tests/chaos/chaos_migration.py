"""Kills a migration between two of its operations, and looks that the next start finishes it.

The database is one of its own, not a country's: theirs are migrated once. It begins empty.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import sys
from pathlib import Path
from typing import Final

import asyncpg
import chaos_hooks as hooks
from chaos_plan import Fault
from chaos_services import HERE, ROOT
from chaos_world import World

from bridge.adapters.store import open_store
from bridge.adapters.store.schema import migrate

OPERATIONS: Final = 24  # of all migrations, at least
SECONDS: Final = 60.0


async def kill_in_migration(world: World, fault: Fault) -> bool:
    """Answers whether the process died in the middle; raises when the database is not whole after the next start."""
    dice = random.Random(fault.dice)  # noqa: S311 - to be repeated
    name = f"migration_{fault.number}_{secrets.token_hex(3)}"
    folder = world.folder / name
    folder.mkdir()
    url = await _new_database(world, name, folder, on_postgres=fault.target == "postgres")
    (folder / hooks.IN_MIGRATION).write_text(str(dice.randrange(1, OPERATIONS)), "ascii")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(HERE / "chaos_migrating.py"), url),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)]), hooks.FOLDER_VARIABLE: str(folder)},
        stdin=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(SECONDS):
        status = await process.wait()
    await migrate(url)
    store = open_store(url)
    try:
        await store.check()
    finally:
        await store.close()
    return status < 0


async def _new_database(world: World, name: str, folder: Path, *, on_postgres: bool) -> str:
    if not on_postgres:
        return f"sqlite:///{folder / 'node.db'}"
    connection = await asyncpg.connect(world.postgres.url())
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return world.postgres.url(name)
