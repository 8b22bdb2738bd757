"""From every released revision, with data that the released program itself wrote, to this program's: nothing is lost,
what is new is filled in, and killed in the middle it never happened."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from released_databases import FOLDER, Table, create, execute, insert, revisions, rows, table_names, tables_of
from sqlalchemy import Connection

from bridge.adapters.store import open_store
from bridge.adapters.store.engine import make_engine
from bridge.adapters.store.schema import migrate
from bridge.adapters.store.tables import SCHEMA_REVISION, metadata
from bridge.core.errors import UnavailableError

ROOT = Path(__file__).resolve().parents[3]
RELEASED = revisions()[:-1]
SECONDS = 60
MIGRATE = (sys.executable, str(Path(__file__).with_name("migrating_process.py")))
IMPORTABLE = os.environ | {"PYTHONPATH": str(ROOT)}


@pytest.fixture(params=RELEASED)
def revision(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def released(revision: str) -> list[Table]:
    return tables_of(revision)


@pytest.fixture
def released_url(empty_url: str, revision: str, released: Sequence[Table]) -> str:
    """The address of a database as the released program left it."""
    create(empty_url, revision)
    insert(empty_url, released)
    return empty_url


def test_there_is_a_database_of_every_revision_before_the_newest() -> None:
    assert revisions()[-1] == SCHEMA_REVISION
    assert {file.stem for file in FOLDER.glob("*.json")} >= set(RELEASED)


async def test_every_row_is_there_afterwards_and_the_tables_are_this_programs(
    released_url: str, released: Sequence[Table]
) -> None:
    # when
    await migrate(released_url)

    # then
    for table in released:
        expected = sorted((tuple(row) for row in table.rows), key=repr)
        assert rows(released_url, table.name, table.columns) == expected, table.name
        assert table.rows, f"{table.name} of the released database is empty and proves nothing"
    assert rows(released_url, "alembic_version", ["version_num"]) == [(SCHEMA_REVISION,)]
    assert await differences(released_url) == []


async def test_the_program_goes_on_where_the_released_one_was(released_url: str, released: Sequence[Table]) -> None:
    # given
    await migrate(released_url)
    counter = of(released, "sequence_counter")[0]
    store = open_store(released_url)
    await store.check()

    # when
    async with store.writing() as unit:
        epoch, numbers = await unit.ledger.next_numbers(counter["sender"], [counter["recipient"]], lane=counter["lane"])
        due = await unit.outbox.claim(
            "publisher", token="t", now=datetime(2030, 1, 1, tzinfo=UTC), lease_seconds=60, limit=1000
        )
    async with store.reading() as unit:
        sent = [await unit.ledger.get(message["id"]) for message in of(released, "message")]
        received = await unit.inbox.list()
    await store.close()

    # then
    assert (epoch, numbers) == (counter["epoch"], {counter["recipient"]: counter["next_number"]})
    unsent = {row["id"] for row in of(released, "outbox") if row["sent_at"] is None and row["relay"] == "publisher"}
    assert {row.id for row in due} == unsent
    assert all(message is not None and message.body is not None for message in sent)
    assert len(received) == len(of(released, "inbox"))


@pytest.mark.parametrize("revision", ["0001"], indirect=True)
async def test_numbers_of_what_was_sent_before_are_those_that_were_signed(
    released_url: str, released: Sequence[Table]
) -> None:
    # when
    await migrate(released_url)

    # then
    check_numbers(released_url, released)


@pytest.mark.parametrize("revision", ["0001"], indirect=True)
async def test_numbers_of_what_the_released_program_sends_after_the_migration_are_filled_in_at_the_next_start(
    empty_url: str, released: Sequence[Table]
) -> None:
    # given
    await migrate(empty_url)
    execute(empty_url, "DELETE FROM node_state")
    insert(empty_url, released)

    # when
    await migrate(empty_url)

    # then
    check_numbers(empty_url, released)


def check_numbers(url: str, released: Sequence[Table]) -> None:
    """Every number in the ledger is the one that was signed, and every counter knows its first."""
    signed = {}
    wires = {row["sha256"]: row["wire_bytes"] for row in of(released, "wire")}
    for message in of(released, "message"):
        sequence = signed_sequence(wires[message["wire_sha256"]])
        for recipient, number in sequence["n"].items():
            signed[message["id"], recipient] = (message["lane"], sequence["epoch"], number)
    assert len({lane for lane, _, _ in signed.values()}) == 2
    found = rows(url, "recipient", ["message_id", "recipient", "epoch", "number"])
    assert {(message, to): (epoch, number) for message, to, epoch, number in found} == {
        key: (epoch, number) for key, (_, epoch, number) in signed.items()
    }
    counters = rows(url, "sequence_counter", ["lane", "recipient", "first_number", "next_number"])
    for lane, recipient, first, following in counters:
        used = [number for (_, to), (of_lane, _, number) in signed.items() if (of_lane, to) == (lane, recipient)]
        assert (first, following) == (min(used), max(used) + 1)


async def test_what_a_released_program_writes_later_is_taken_too(empty_url: str, released: Sequence[Table]) -> None:
    """Expand only: a process of the old program that still runs finds everything that it knows."""
    # given a database that a newer program has migrated
    await migrate(empty_url)
    execute(empty_url, "DELETE FROM node_state")

    # when
    insert(empty_url, released)

    # then
    for table in released:
        expected = sorted((tuple(row) for row in table.rows), key=repr)
        assert rows(empty_url, table.name, table.columns) == expected, table.name


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0], ids=["begun", "half", "before-the-commit"])
async def test_killed_in_the_middle_it_never_happened_and_the_next_start_migrates(
    released_url: str, revision: str, released: Sequence[Table], share: float, empty_url: str, tmp_path: Path
) -> None:
    # given
    before = table_names(released_url)
    statements = changing_statements(revision, released, tmp_path)
    process = stopped_migration(released_url, after=max(1, round(share * statements)))

    # when
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=SECONDS)

    # then
    assert rows(empty_url, "alembic_version", ["version_num"]) == [(revision,)]
    assert table_names(empty_url) == before
    await test_every_row_is_there_afterwards_and_the_tables_are_this_programs(empty_url, released)


async def test_who_comes_while_another_process_migrates_waits_its_turn(released_url: str) -> None:
    # given a process in the middle of it
    process = stopped_migration(released_url, after=2)

    # when
    waiting = asyncio.create_task(migrate(released_url))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    process.kill()
    process.communicate(timeout=SECONDS)

    # then
    await asyncio.wait_for(waiting, SECONDS)
    assert rows(released_url, "alembic_version", ["version_num"]) == [(SCHEMA_REVISION,)]


async def test_several_databases_are_migrated_at_once_in_one_process_in_several_threads(tmp_path: Path) -> None:
    """Alembic's context is global to the process."""
    # given
    urls = [f"sqlite:///{tmp_path / f'{number}.db'}" for number in range(6)]
    threads = [threading.Thread(target=lambda url=url: asyncio.run(migrate(url))) for url in urls[:3]]

    # when
    for thread in threads:
        thread.start()
    await asyncio.gather(*(migrate(url) for url in urls[3:]))
    for thread in threads:
        await asyncio.to_thread(thread.join, SECONDS)

    # then
    for url in urls:
        assert rows(url, "alembic_version", ["version_num"]) == [(SCHEMA_REVISION,)]


async def test_a_program_that_is_older_than_the_schema_does_not_start_but_goes_on_when_it_runs(
    released_url: str, released: Sequence[Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a program of that revision that runs
    running = open_store(released_url)
    async with running.reading() as unit:
        await unit.outbox.backlog("publisher")

    # when
    await migrate(released_url)
    monkeypatch.setattr("bridge.adapters.store.unit_of_work.SCHEMA_REVISION", RELEASED[-1])

    # then
    async with running.writing() as unit:
        waiting, _ = await unit.outbox.backlog("publisher")
    assert waiting == len(
        [row for row in of(released, "outbox") if row["sent_at"] is None and row["relay"] == "publisher"]
    )
    with pytest.raises(UnavailableError) as raised:
        await running.check()
    assert raised.value.code == "E_DATABASE_SCHEMA"
    await running.close()


def stopped_migration(url: str, *, after: int) -> subprocess.Popen[str]:
    """A process in the middle of its migration, as soon as it is there."""
    process = subprocess.Popen(  # noqa: S603 - our own script
        [*MIGRATE, url, str(after)], cwd=ROOT, env=IMPORTABLE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "stopped\n"
    return process


def changing_statements(revision: str, released: Sequence[Table], folder: Path) -> int:
    """How many statements of the migration change something."""
    url = f"sqlite:///{folder / 'counted.db'}"
    create(url, revision)
    insert(url, released)
    counted = subprocess.run(  # noqa: S603 - our own script
        [*MIGRATE, url], cwd=ROOT, env=IMPORTABLE, stdout=subprocess.PIPE, text=True, check=True, timeout=SECONDS
    )
    return int(counted.stdout)


def of(tables: Sequence[Table], name: str) -> list[dict[str, Any]]:
    (table,) = (table for table in tables if table.name == name)
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def signed_sequence(wire_bytes: bytes) -> dict[str, Any]:
    payload = json.loads(wire_bytes)["payload"]
    sequence: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["seq"]
    return sequence


async def differences(url: str) -> list[object]:
    def compare(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return found

    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(compare)
    finally:
        await engine.dispose()
