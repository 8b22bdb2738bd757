"""A backup: of one moment while everybody goes on, whole or refused, and its owner's alone."""

from __future__ import annotations

import asyncio
import stat
import tarfile
import time
from pathlib import Path

import pytest
from backup_samples import (
    SERBIA,
    contents,
    put,
    quiet,
    send,
    some_traffic,
)
from released_databases import rows
from store_samples import NOW

from bridge.adapters.store import open_store
from bridge.adapters.store.backup import Backup, back_up, check_backup, read_backup
from bridge.adapters.store.schema import migrate
from bridge.adapters.store.tables import SCHEMA_REVISION
from bridge.core.errors import RefusedError, UnavailableError

# ruff: noqa: ASYNC240 - files are read in the test's own thread: nothing beside it would wait


@pytest.fixture
async def url(empty_url: str) -> str:
    await migrate(empty_url)
    return empty_url


async def test_a_backup_under_load_is_of_one_moment_and_writers_go_on(url: str, tmp_path: Path) -> None:
    # given a writer that never rests; a message and its two rows are one transaction
    written, stop = 0, asyncio.Event()
    store, engine_url = open_store(url), url

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            async with store.writing() as unit:
                await send(unit)
            written += 1

    writer = asyncio.create_task(write())
    while written < 400:  # noqa: ASYNC110 - a counter, not an event
        await asyncio.sleep(0.01)

    # when
    def wait_for_a_writer(*_: object) -> None:
        """While a part is copied: the first time, somebody writes meanwhile, or never can."""
        deadline = time.monotonic() + 20
        while written == before and time.monotonic() < deadline:
            time.sleep(0.001)

    def copy() -> Backup:
        return asyncio.run(back_up(engine_url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=wait_for_a_writer))

    before = written
    backup = await asyncio.to_thread(copy)
    during = written - before
    stop.set()
    await writer
    await store.close()

    # then
    assert during > 0
    assert before <= backup.manifest.messages <= written
    assert backup.manifest.unsent == 2 * backup.manifest.messages
    restored = await put(url, backup, tmp_path)
    assert restored.messages == backup.manifest.messages
    assert len(rows(url, "outbox", ["id"])) == 2 * restored.messages


async def test_the_backup_says_what_is_in_it_and_is_its_owners_alone(url: str, tmp_path: Path) -> None:
    # given
    await some_traffic(url)
    before = set(tmp_path.iterdir())

    # when
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)

    # then
    manifest = backup.manifest
    assert (manifest.country, manifest.network, manifest.contact_points) == (
        "RS",
        "see",
        ["rs.border-police", "rs.ncp"],
    )
    assert (manifest.revision, manifest.epoch, manifest.messages, manifest.inbox) == (SCHEMA_REVISION, 1, 3, 2)
    assert (manifest.made_at, manifest.unsent) == ("2026-11-23T18:40:01.234Z", 6)
    assert stat.S_IMODE(backup.file.stat().st_mode) == 0o600
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"backup.tar"}
    with tarfile.open(backup.file) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    check = await asyncio.create_subprocess_exec("sha256sum", "--check", "SHA256SUMS", cwd=tmp_path / "unpacked")
    assert await check.wait() == 0


async def test_nothing_is_overwritten(url: str, tmp_path: Path) -> None:
    # given
    file = tmp_path / "backup.tar"
    file.write_text("somebody's")

    # when
    with pytest.raises(RefusedError) as raised:
        await back_up(url, file, SERBIA, now=NOW, progress=quiet)

    # then
    assert raised.value.code == "E_BACKUP_EXISTS"
    assert file.read_text() == "somebody's"


async def test_a_folder_that_is_not_there_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as raised:
        await back_up(url, tmp_path / "nowhere" / "backup.tar", SERBIA, now=NOW, progress=quiet)
    assert (raised.value.code, "nowhere" in raised.value.message) == ("E_FILE", True)


async def test_a_damaged_backup_is_refused_wherever_it_is_damaged_and_the_database_stays(
    url: str, tmp_path: Path
) -> None:
    # given
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    whole = backup.file.read_bytes()
    before, files = contents(url), {path.name for path in tmp_path.iterdir()}
    places = (*range(0, 2048, 7), *range(2048, len(whole), 9973), *range(len(whole) - 20480, len(whole), 997))
    flipped = (whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in places)
    bent = [whole[: len(whole) // 2], whole[:-1], whole[:-10240], whole + b"\0", b"", b"no archive at all" * 1000]
    damaged = tmp_path / "backup.tar"

    for data in (*bent, *flipped):
        damaged.write_bytes(data)

        # when
        with pytest.raises(RefusedError) as raised:
            read_backup(damaged)

        # then
        assert raised.value.code == "E_BACKUP_DAMAGED"

    # when: it was whole when it was chosen
    with pytest.raises(RefusedError) as raised:
        await put(url, backup, tmp_path)

    # then
    assert raised.value.code == "E_BACKUP_DAMAGED"
    assert contents(url) == before
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith("store.db")} == {
        name for name in files if not name.startswith("store.db")
    }


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"country": "AT"}, "E_BACKUP_OTHER"),
        ({"network": "another"}, "E_BACKUP_OTHER"),
        ({"database": "another"}, "E_BACKUP_OTHER"),
        ({"revision": "9999"}, "E_BACKUP_SCHEMA"),
    ],
)
async def test_a_backup_of_somebody_else_or_of_a_newer_program_is_refused(
    url: str, tmp_path: Path, changed: dict[str, str], code: str
) -> None:
    # given
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    check_backup(backup, url, SERBIA)
    foreign = Backup(backup.file, backup.manifest.model_copy(update=changed), backup.size, backup.sha256)

    # when
    with pytest.raises(RefusedError) as raised:
        check_backup(foreign, url, SERBIA)

    # then
    assert raised.value.code == code
