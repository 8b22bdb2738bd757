"""A restore of SQLite: whose file it is, and what lies beside it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from backup_samples import (
    SERBIA,
    put,
    quiet,
    some_traffic,
)
from released_databases import rows
from store_samples import NOW

from bridge.adapters.store.backup import back_up
from bridge.adapters.store.schema import migrate
from bridge.core.errors import RefusedError

# ruff: noqa: ASYNC240 - files are read in the test's own thread: nothing beside it would wait


SECONDS = 60


async def test_a_program_that_knows_nothing_of_the_lock_is_seen_too(tmp_path: Path) -> None:
    # given somebody who looks at the file with another program
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    with closing(sqlite3.connect(tmp_path / "store.db")) as looking:
        looking.execute("SELECT count(*) FROM message").fetchone()

        # when
        with pytest.raises(RefusedError) as raised:
            await put(url, backup, tmp_path)

    # then
    assert raised.value.code == "E_NODE_RUNNING"


async def test_what_a_killed_process_had_committed_last_is_kept_aside_too(tmp_path: Path) -> None:
    # given commits that are in the write-ahead log only, as a process leaves them that was killed
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    killed = subprocess.Popen(  # noqa: ASYNC220, S603 - our own words, over in a moment
        [sys.executable, "-c", KILLED, str(tmp_path / "store.db")]
    )
    killed.wait(SECONDS)
    assert (tmp_path / "store.db-wal").stat().st_size > 0

    # when
    restored = await put(url, backup, tmp_path)

    # then
    assert not (tmp_path / "store.db-wal").exists()
    with closing(sqlite3.connect(str(restored.kept_aside))) as kept:
        assert kept.execute("SELECT count(*) FROM wire").fetchone() == (1,)
    assert rows(url, "wire", ["sha256"]) == []


async def test_a_database_that_cannot_be_read_is_kept_aside_as_it_is(tmp_path: Path) -> None:
    # given a disk that has overwritten it, and its log
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    await some_traffic(url)
    backup = await back_up(url, tmp_path / "backup.tar", SERBIA, now=NOW, progress=quiet)
    (tmp_path / "store.db").write_bytes(b"\xff" * 8192)
    (tmp_path / "store.db-wal").write_bytes(b"log")

    # when
    restored = await put(url, backup, tmp_path)

    # then
    assert restored.kept_aside is not None
    assert Path(restored.kept_aside).read_bytes() == b"\xff" * 8192
    assert Path(f"{restored.kept_aside}-wal").read_bytes() == b"log"
    assert len(rows(url, "message", ["id"])) == 3


KILLED = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("INSERT INTO wire VALUES (x'01', x'02')")
os.kill(os.getpid(), signal.SIGKILL)
"""
