"""The schema: the migrations make what `tables.py` says, once and for all processes, and views that count right."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path
from urllib.parse import quote

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect, text
from store_samples import item, later, outgoing, receipt

from bridge.adapters.store import SqlStore, migrations, open_store, revisions
from bridge.adapters.store.engine import create_file, make_engine
from bridge.adapters.store.schema import migrate
from bridge.adapters.store.tables import SCHEMA_REVISION, metadata
from bridge.core.errors import UnavailableError
from bridge.ports.store import Store


async def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = make_engine(url)
    try:
        async with engine.begin() as connection:
            result = await connection.execute(text(statement))
            return [tuple(row) for row in result] if result.returns_rows else []
    finally:
        await engine.dispose()


async def in_engine(url: str, ask: object) -> object:
    engine = make_engine(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(ask)  # type: ignore[arg-type]
    finally:
        await engine.dispose()


async def test_the_migrations_make_exactly_the_tables(store_url: str) -> None:
    def differences(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        found: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return found

    assert await in_engine(store_url, differences) == []


def test_columns_stand_in_the_same_order_and_rows_are_kept_the_same_way_on_sqlite(
    migrated_file: Path, tmp_path: Path
) -> None:
    made = create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    metadata.create_all(made)
    migrated = create_engine(f"sqlite:///{migrated_file}")

    for table in metadata.sorted_tables:
        columns = [
            [column["name"] for column in inspect(engine).get_columns(table.name)] for engine in (made, migrated)
        ]
        assert columns[0] == columns[1], table.name
        with migrated.connect() as connection:
            (statement,) = connection.execute(
                text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :name"), {"name": table.name}
            ).one()
        assert ("WITHOUT ROWID" in statement) == (table.dialect_options["sqlite"]["with_rowid"] is False), table.name
    made.dispose()
    migrated.dispose()


def test_the_revision_that_the_program_needs_is_the_newest_migration() -> None:
    folder = Path(str(migrations.__file__)).parent
    assert ScriptDirectory(str(folder)).get_heads() == [SCHEMA_REVISION]


async def test_several_processes_may_migrate_at_once_and_again(empty_url: str) -> None:
    await asyncio.gather(*(migrate(empty_url) for _ in range(3)))
    await migrate(empty_url)

    store = open_store(empty_url)
    await store.check()
    await store.close()


async def test_a_migration_that_fails_never_happened(empty_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    upgrade = revisions.command.upgrade

    def upgrade_and_fail(*arguments: object) -> None:
        upgrade(*arguments)  # type: ignore[arg-type]
        fail()

    monkeypatch.setattr(revisions.command, "upgrade", upgrade_and_fail)
    with pytest.raises(UnavailableError):
        await migrate(empty_url)
    assert await in_engine(empty_url, lambda connection: inspect(connection).get_table_names()) == []

    monkeypatch.undo()
    await migrate(empty_url)


async def test_a_schema_newer_than_the_program_is_refused_and_not_touched(empty_url: str) -> None:
    await migrate(empty_url)
    await sql(empty_url, "UPDATE alembic_version SET version_num = '9999'")

    store = open_store(empty_url)
    for refused in (migrate(empty_url), store.check(), store.check_schema()):
        with pytest.raises(UnavailableError) as raised:
            await refused
        assert raised.value.code == "E_DATABASE_SCHEMA"
        assert "9999" in raised.value.message
    await store.close()
    assert await sql(empty_url, "SELECT version_num FROM alembic_version") == [("9999",)]


async def test_a_database_without_a_schema_fails_the_check(empty_url: str) -> None:
    create_file(empty_url)
    store = open_store(empty_url)

    with pytest.raises(UnavailableError) as raised:
        await store.check()

    assert raised.value.code == "E_DATABASE"
    await store.close()


async def test_the_check_passes_on_what_was_migrated_and_changes_nothing(store: SqlStore, store_url: str) -> None:
    await store.check()

    assert await sql(store_url, "SELECT id, epoch FROM node_state") == [(1, 1)]


async def test_the_sqlite_file_can_be_read_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "odd name %41#?.db"

    await migrate(f"sqlite:///{quote(str(path))}")

    assert modes_in(tmp_path) == {path.name: 0o600, f"{path.name}.lock": 0o600}


def modes_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_an_sqlite_commit_is_on_the_disk_and_foreign_keys_are_checked(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await migrate(url)

    settings = {name: await sql(url, f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "foreign_keys")}

    assert settings == {"journal_mode": [("wal",)], "synchronous": [(2,)], "foreign_keys": [(1,)]}


async def test_a_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as raised:
        await migrate(f"sqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    assert raised.value.code == "E_DATABASE"


async def test_the_views_let_anyone_count_an_exercise_again(store: Store, store_url: str) -> None:
    """Two alerts to three and to one; one recipient refuses, one stub, and answers that are not alerts."""
    first, second = outgoing("at.ncp", "hu.ncp", "de.ncp"), outgoing("at.ncp")
    answer = outgoing("rs.ncp", sender="at.ncp", kind="acknowledgement")
    async with store.writing() as unit:
        for message in (first, second, answer):
            await unit.ledger.add(message)
        await unit.ledger.mark_sent([(first.id, "at"), (first.id, "hu")], later(2))
        await unit.ledger.add_receipts(
            [
                receipt(first, "hu.ncp", state="rejected", code="E_NO_KEY"),
                receipt(first, "hu.ncp"),
                receipt(first, "de.ncp", state="rejected", code="E_EXPIRED"),
                receipt(second, "at.ncp"),
                receipt(second, "at.ncp"),
                receipt(answer, "rs.ncp"),
            ]
        )
        await unit.ledger.mark_acknowledged(first.id, "hu.ncp", level="accepted", at=later(9))
        await unit.inbox.add(
            [
                item(id=first.id, contact_point="hu.ncp", received_at=later(3)),
                item(id=second.id),
                item(id=first.id, contact_point="de.ncp", state="expired", body=None),
                item(id=answer.id, contact_point="rs.ncp", sender="at.ncp", kind="acknowledgement"),
            ]
        )

    counts = {
        "published": "SELECT count(DISTINCT message_id) FROM v_recipients WHERE kind = 'route_alert'",
        "recipients": "SELECT count(*) FROM v_recipients WHERE kind = 'route_alert'",
        "delivered": "SELECT count(*) FROM v_inbox WHERE kind = 'route_alert' AND state <> 'expired'",
        "receipts": "SELECT count(*) FROM v_receipts WHERE kind = 'route_alert' AND state = 'delivered'",
        "acknowledged": "SELECT count(acknowledged_at) FROM v_recipients",
        "rejected": "SELECT count(*) FROM v_recipients WHERE state = 'rejected'",
    }
    assert {name: (await sql(store_url, query))[0][0] for name, query in counts.items()} == {
        "published": 2,
        "recipients": 4,
        "delivered": 2,
        "receipts": 2,
        "acknowledged": 1,
        "rejected": 1,
    }
    row = (
        "SELECT sender, recipient, country, state, code, level, sent_at, delivered_at, acknowledged_at"
        " FROM v_recipients WHERE recipient = 'hu.ncp'"
    )
    assert await sql(store_url, row) == [
        (
            "rs.ncp",
            "hu.ncp",
            "HU",
            "delivered",
            None,
            "accepted",
            "2026-11-23T18:40:03.234Z",
            "2026-11-23T18:40:06.234Z",
            "2026-11-23T18:40:10.234Z",
        )
    ]
    assert await sql(store_url, "SELECT sender, state, received_at FROM v_inbox WHERE contact_point = 'hu.ncp'") == [
        ("rs.ncp", "new", "2026-11-23T18:40:04.234Z")
    ]
    assert await sql(store_url, "SELECT sender, code, received_at FROM v_receipts WHERE recipient = 'de.ncp'") == [
        ("rs.ncp", "E_EXPIRED", "2026-11-23T18:40:06.234Z")
    ]
