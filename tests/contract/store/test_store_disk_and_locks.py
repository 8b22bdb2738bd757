"""A full disk, a database that can only be read, a lock that somebody keeps: each has its code, and each passes."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from servers.small_disks import MIB, SmallDisk, small_disk
from sqlalchemy.engine import make_url
from store_samples import outgoing

from bridge.adapters.store import SqlStore, engine, open_store
from bridge.adapters.store.schema import migrate
from bridge.core.errors import UnavailableError

DISK_BYTES = 24 * MIB
MESSAGE_BYTES = 60_000
SHORT_WAIT_SECONDS = 1
END_SESSIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
EMPTY = "TRUNCATE message CASCADE"
ENOUGH_TO_FILL_IT = 2 * DISK_BYTES // MESSAGE_BYTES


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", size_bytes=DISK_BYTES) as mounted:
        yield mounted


@pytest.fixture
async def sqlite_on_disk(disk: SmallDisk, migrated_file: Path) -> str:
    shutil.copy(migrated_file, disk.folder / "store.db")
    return f"sqlite:///{disk.folder / 'store.db'}"


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[SqlStore]:
    store = open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def add_message(store: SqlStore) -> str:
    message = outgoing("at.ncp", wire_bytes=secrets.token_bytes(MESSAGE_BYTES))
    async with store.writing() as unit:
        await unit.ledger.add(message)
    return message.id


async def code_of_writing(store: SqlStore) -> str:
    with pytest.raises(UnavailableError) as raised:
        await add_message(store)
    return raised.value.code


async def add_until_it_fails(store: SqlStore, known: set[str]) -> str:
    """Adds messages, notes those that were stored, and answers the code of the failure."""
    try:
        for _ in range(ENOUGH_TO_FILL_IT):
            known.add(await add_message(store))
    except UnavailableError as error:
        return error.code
    return "none"


async def stored(store: SqlStore) -> set[str]:
    async with store.reading() as unit:
        return {message.id for message in await unit.ledger.list(limit=10_000)}


async def test_a_full_disk_has_its_code_keeps_what_was_stored_and_passes(disk: SmallDisk, sqlite_on_disk: str) -> None:
    async with opened(sqlite_on_disk) as store:
        # given
        known = {await add_message(store)}
        disk.fill()

        # when
        codes = {await code_of_writing(store) for _ in range(3)}

        # then
        assert codes == {"E_DATABASE_FULL"}
        assert await stored(store) == known

        # and when there is room again, the same store goes on
        disk.empty()
        known.add(await add_message(store))
        assert await stored(store) == known


async def test_a_disk_that_fills_up_while_messages_are_stored_keeps_each_whole_or_not_at_all(
    sqlite_on_disk: str,
) -> None:
    known: set[str] = set()
    async with opened(sqlite_on_disk) as store:
        code = await add_until_it_fails(store, known)

        assert code == "E_DATABASE_FULL"
        assert await stored(store) == known

    async with opened(sqlite_on_disk) as other:
        assert await stored(other) == known


async def test_a_read_only_file_system_has_its_code_and_passes(disk: SmallDisk, sqlite_on_disk: str) -> None:
    async with opened(sqlite_on_disk) as store:
        # given: no connection is open yet, or the kernel would not let us make it read-only
        disk.set_read_only(True)

        # when
        code = await code_of_writing(store)

        # then: the same store writes once it can
        disk.set_read_only(False)
        assert code == "E_DATABASE_READ_ONLY"
        assert await stored(store) == set()
        await add_message(store)


async def test_a_lock_that_another_process_keeps_has_its_code_and_passes(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "WAIT_SECONDS", SHORT_WAIT_SECONDS)  # a lock of SQLite's is waited for so long
    async with opened(store_url) as store, opened(store_url) as other:
        await add_message(store)  # opens the connection

        async with locked(store_url, other):
            with pytest.raises(UnavailableError) as raised:
                await store.check()
            assert raised.value.code == "E_DATABASE_LOCKED"

        await store.check()


async def test_a_postgresql_that_can_only_be_read_has_its_code_and_passes(migrated_postgres: str) -> None:
    url, name = migrated_postgres, make_url(migrated_postgres).database
    async with opened(url) as store:
        known = await stored(store)

        # given: sessions that are open keep their setting, so they are ended, as a failover does
        await execute(url, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on', END_SESSIONS)
        try:
            code = await code_of_writing(store)
            assert await stored(store) == known
        finally:
            # when
            writable = "SET default_transaction_read_only = off"
            await execute(url, writable, f'ALTER DATABASE "{name}" RESET ALL', END_SESSIONS)

        # then
        assert code == "E_DATABASE_READ_ONLY"
        await add_message(store)
    await execute(url, EMPTY)


async def test_a_postgresql_whose_disk_is_full_has_its_code_and_passes(postgres_server: str) -> None:
    folder = Path("/tmp") / f"ncp-{secrets.token_hex(4)}"  # noqa: S108 - the server's user cannot enter pytest's folders
    with small_disk(folder, size_bytes=DISK_BYTES) as disk:
        async with database_on(disk, postgres_server) as url, opened(url) as store:
            # given
            disk.fill(leave_bytes=4 * MIB)
            known: set[str] = set()

            # when
            code = await add_until_it_fails(store, known)

            # then
            assert code == "E_DATABASE_FULL"
            assert await stored(store) == known

            # and when there is room again, the same store goes on
            disk.empty()
            known.add(await add_message(store))
            assert await stored(store) == known
    folder.rmdir()


@asynccontextmanager
async def database_on(disk: SmallDisk, server: str) -> AsyncIterator[str]:
    """A database of the server's whose tables lie on a disk."""
    name = f"disk_{secrets.token_hex(4)}"
    (data,) = await execute(server, "SHOW data_directory")
    try:
        owner = Path(data).stat()  # noqa: ASYNC240 -- this machine's own disk
    except OSError:
        pytest.skip("only a server on this machine can be given a disk")
    place = disk.folder / "tables"
    place.mkdir(mode=0o700)
    os.chown(place, owner.st_uid, owner.st_gid)
    await execute(server, f"CREATE TABLESPACE {name} LOCATION '{place}'", f"CREATE DATABASE {name} TABLESPACE {name}")
    try:
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
        await migrate(url)
        yield url
    finally:
        await execute(server, f"DROP DATABASE {name} WITH (FORCE)", f"DROP TABLESPACE {name}")


@asynccontextmanager
async def locked(url: str, other: SqlStore) -> AsyncIterator[None]:
    """Another process keeps what everybody needs."""
    if url.startswith("sqlite"):
        async with other.writing():
            yield
        return
    connection = await asyncpg.connect(url, timeout=30)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE node_state IN ACCESS EXCLUSIVE MODE", timeout=30)
            yield
    finally:
        await connection.close(timeout=30)


async def execute(url: str, *statements: str) -> list[str]:
    """Runs statements one by one, each in a transaction of its own; the first column of what the last one found."""
    connection = await asyncpg.connect(url, timeout=30)
    try:
        for statement in statements:
            rows = await connection.fetch(statement, timeout=30)
        return [row[0] for row in rows]
    finally:
        await connection.close(timeout=30)
