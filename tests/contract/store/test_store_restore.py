"""A restore: every row of the backup in a new epoch, nothing destroyed, and nothing half wherever it is killed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from backup_samples import (
    AT_RESTORE,
    NEW_EPOCH,
    SERBIA,
    claim,
    contents,
    kept_messages,
    lose,
    put,
    quiet,
    send,
    some_traffic,
)
from released_databases import create, insert, revisions, rows, tables_of
from sqlalchemy import make_url
from store_samples import NOW, later

from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.store.backup import back_up, restore
from bridge.adapters.store.engine import make_engine
from bridge.adapters.store.in_use import alone_with_file
from bridge.adapters.store.renewal import Restoring
from bridge.adapters.store.schema import migrate
from bridge.adapters.store.tables import SCHEMA_REVISION
from bridge.core.errors import RefusedError, UnavailableError

# ruff: noqa: ASYNC240 - files are read in the test's own thread: nothing beside it would wait


ROOT = Path(__file__).resolve().parents[3]
# What the restore itself changes.
RENEWED = {"node_state", "audit", "outbox"}
SECONDS = 60


@pytest.fixture
async def url(empty_url: str) -> str:
    await migrate(empty_url)
    return empty_url


async def test_a_restore_brings_back_every_row_of_the_backup_in_a_new_epoch_and_keeps_what_was_there(
    url: str, tmp_path: Path
) -> None:
    # given
    await some_traffic(url)
    at_backup = contents(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    await some_traffic(url)

    # when
    restored = await put(url, backup, tmp_path)

    # then
    after = contents(url)
    assert {name: table for name, table in after.items() if name not in RENEWED} == {
        name: table for name, table in at_backup.items() if name not in RENEWED
    }
    assert (restored.epoch, restored.previous, restored.messages, restored.inbox) == (NEW_EPOCH, 1, 3, 2)
    assert rows(url, "node_state", ["id", "epoch"]) == [(1, NEW_EPOCH)]
    assert rows(url, "audit", ["actor", "action"]) == [("Ana", "database.restored")]
    assert kept_messages(url, restored) == 6


async def test_the_restored_store_takes_its_numbers_in_the_new_epoch(url: str, tmp_path: Path) -> None:
    # given
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    await put(url, backup, tmp_path)
    store = open_store(url)

    # when
    await store.check()
    async with store.writing() as unit:
        epoch, _ = await unit.ledger.next_numbers("rs.ncp", ["at.ncp"], lane="normal")
    await store.close()

    # then
    assert epoch == NEW_EPOCH


async def test_what_waited_at_the_backup_is_due_at_once_whoever_had_leased_it(url: str, tmp_path: Path) -> None:
    # given one row leased, one given back for later, one sent, three waiting
    await some_traffic(url)
    store = open_store(url)
    async with store.writing() as unit:
        sent, failed, leased = await claim(unit, "backup", 3)
        await unit.outbox.mark_sent([sent], token="backup", now=NOW)
        await unit.outbox.mark_failed([failed], token="backup", next_attempt_at=later(60), error="nacked")
    await store.close()
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)

    # when
    await put(url, backup, tmp_path)

    # then
    store = open_store(url)
    async with store.writing() as unit:
        due = await claim(unit, "other", 100)
        lost = await unit.outbox.mark_sent([leased], token="backup", now=NOW)
    await store.close()
    assert len(due) == 5
    assert {failed, leased} <= set(due)
    assert sent not in due
    assert lost == 0


async def test_a_restore_is_refused_while_a_program_of_the_node_has_the_database(
    url: str, store_of_url: SqlStore, tmp_path: Path
) -> None:
    # given
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    async with store_of_url.reading() as unit:
        await unit.outbox.backlog("publisher")
    before = contents(url)

    # when
    with pytest.raises(RefusedError) as raised:
        await put(url, backup, tmp_path)

    # then
    assert raised.value.code == "E_NODE_RUNNING"
    assert contents(url) == before
    async with store_of_url.writing() as unit:
        await send(unit)

    # and then: as soon as it is gone
    await store_of_url.close()
    assert (await put(url, backup, tmp_path)).messages == 3


async def test_nobody_opens_the_database_during_a_restore(url: str) -> None:
    # given
    store = open_store(url)
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        # when
        with alone_with_file(Path(str(parsed.database))), pytest.raises(UnavailableError) as raised:
            await store.check()
    else:
        engine = make_engine(url, alone=True)
        async with engine.connect():
            with pytest.raises(UnavailableError) as raised:
                await store.check()
        await engine.dispose()

    # then
    assert raised.value.code == "E_DATABASE_RESTORE"
    await store.check()
    await store.close()


@pytest.mark.parametrize("revision", revisions()[:-1])
async def test_a_backup_of_a_released_revision_is_migrated(
    url: str, revision: str, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    # given the database of a released program, in a place of its own
    older = f"sqlite:///{tmp_path / 'older.db'}"
    if database == "postgresql":
        older = request.getfixturevalue("make_postgres_database")()
    create(older, revision)
    insert(older, tables_of(revision))
    backup = await back_up(older, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    assert backup.manifest.revision == revision

    # when
    restored = await put(url, backup, tmp_path)

    # then
    assert rows(url, "alembic_version", ["version_num"]) == [(SCHEMA_REVISION,)]
    assert restored.messages == backup.manifest.messages > 0


async def test_a_second_restore_begins_a_higher_epoch_even_with_a_clock_that_is_behind(
    url: str, tmp_path: Path
) -> None:
    # given
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    await put(url, backup, tmp_path)
    behind = Restoring(AT_RESTORE - timedelta(days=3000), "Ana", {})

    # when
    again = await restore(url, backup, behind, scratch=tmp_path / "scratch", progress=quiet)

    # then
    assert (again.epoch, again.previous) == (NEW_EPOCH + 1, 1)


async def test_a_database_that_is_gone_is_restored_and_there_is_nothing_to_keep(url: str, tmp_path: Path) -> None:
    # given
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    await lose(url)

    # when
    restored = await put(url, backup, tmp_path)

    # then
    assert (restored.messages, restored.kept_aside, restored.epoch) == (3, None, NEW_EPOCH)


async def test_killed_anywhere_in_a_restore_the_node_has_its_old_database_or_the_new_one(
    url: str, tmp_path: Path
) -> None:
    # given
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name("restoring_process.py")), url, str(backup.file)),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    outcomes = []
    for step in range(1, 100):
        await some_traffic(url)
        before = contents(url)

        # when
        process.stdin.write(f"{step}\n".encode())
        status = int(await asyncio.wait_for(process.stdout.readline(), SECONDS))

        # then
        after = contents(url)
        outcomes.append("new" if len(after["message"]) == 3 else "old")
        if outcomes[-1] == "new":
            assert after["node_state"][0][1] > before["node_state"][0][1]
            assert len(after["audit"]) == 1
        else:
            assert after == before
        if status == 0:
            break
    assert outcomes[-1] == "new"
    assert outcomes == sorted(outcomes, reverse=True)  # no way back from the new one
    assert len(outcomes) > 10

    # and then: a restore that goes through leaves nothing of those that did not
    await put(url, backup, tmp_path)
    assert not [path for path in tmp_path.iterdir() if "restoring" in path.name]
    process.stdin.close()
    await process.wait()


@pytest.fixture
async def store_of_url(url: str) -> SqlStore:
    return open_store(url)
