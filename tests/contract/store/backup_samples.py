"""What the tests of backup and restore share: traffic on a store, everything that a database holds, a node."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from released_databases import rows
from sqlalchemy import make_url
from store_samples import NOW, item, outbox_row, outgoing, refusal

from bridge.adapters.store import open_store
from bridge.adapters.store.backup import Backup, NodeIdentity, Restored, restore
from bridge.adapters.store.engine import make_engine
from bridge.adapters.store.renewal import Restoring
from bridge.adapters.store.tables import metadata
from bridge.ports.store import UnitOfWork

SERBIA = NodeIdentity("RS", "see", ["rs.border-police", "rs.ncp"])
AT_RESTORE = NOW + timedelta(days=1)
RESTORING = Restoring(AT_RESTORE, "Ana", {"backup_sha256": "of the file"})
NEW_EPOCH = int(AT_RESTORE.timestamp())


def quiet(*_: object) -> None:
    """Nobody looks."""


async def put(url: str, backup: Backup, folder: Path) -> Restored:
    return await restore(url, backup, RESTORING, scratch=folder / "scratch", progress=quiet)


async def some_traffic(url: str) -> None:
    """Something sent and waiting, something received, something refused."""
    store = open_store(url)
    async with store.writing() as unit:
        for _ in range(3):
            await send(unit)
        await unit.inbox.add([item(), item()])
        await unit.refusals.quarantine([refusal()], quota_bytes=10**6)
    await store.close()


async def send(unit: UnitOfWork) -> None:
    """A message with two rows in the outbox."""
    message = outgoing()
    await unit.ledger.next_numbers("rs.ncp", ["at.ncp", "hu.ncp"], lane="normal")
    await unit.ledger.add(message)
    await unit.outbox.add([outbox_row(message_id=message.id), outbox_row(message_id=message.id, country="hu")])


def contents(url: str) -> Mapping[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    return {
        table.name: rows(url, table.name, [column.name for column in table.columns]) for table in metadata.sorted_tables
    }


async def claim(unit: UnitOfWork, token: str, limit: int) -> list[str]:
    rows = await unit.outbox.claim("publisher", token=token, now=NOW, lease_seconds=60, limit=limit)
    return [row.id for row in rows]


def kept_messages(url: str, restored: Restored) -> int:
    """How many messages the database holds that was there before."""
    assert restored.kept_aside is not None
    if restored.kept_aside.startswith("schema "):
        return len(rows(url, f"{restored.kept_aside.removeprefix('schema ')}.message", ["id"]))
    with closing(sqlite3.connect(restored.kept_aside)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM message").fetchone()
    return int(count)


async def lose(url: str) -> None:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        os.unlink(str(parsed.database))  # noqa: PTH108 - a test in one thread
        return
    engine = make_engine(url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        await connection.exec_driver_sql("CREATE SCHEMA public")
    await engine.dispose()
