"""PostgreSQL's copy for a backup, and putting one in the place of the node's tables, with PostgreSQL's own programs.

`pg_dump` reads one moment while everybody goes on. A restore is two transactions: the first loads the copy into a
schema of its own, the second makes it ready and exchanges it for the present tables, which are kept in a dated schema.
Cut off anywhere, the node has its old tables or the new ones.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Executable, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.adapters.store.backup_file import Progress, read_backup, room_beside
from bridge.adapters.store.engine import make_engine, parse_url
from bridge.adapters.store.renewal import Restored, Restoring, epoch_of, renew
from bridge.adapters.store.tables import inbox, message, node_state, outbox, unsent
from bridge.adapters.store.transaction import translated
from bridge.core.errors import RefusedError, UnavailableError

INCOMING: Final = "ncp_bridge_incoming"
_OUTGOING: Final = "ncp_bridge_outgoing"  # exists within the first transaction only
_LOOK_SECONDS: Final = 0.5
# Everything of ours in one schema goes to another; indexes and counters go with their tables.
_MOVE: Final = """
DO $move$
DECLARE relation record;
BEGIN
  FOR relation IN
    SELECT c.relname, CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = {source} AND c.relkind IN ('r', 'p', 'v')
      AND NOT EXISTS (SELECT FROM pg_depend d
                      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('ALTER %s %I.%I SET SCHEMA %I', relation.kind, {source}, relation.relname, {target});
  END LOOP;
END $move$;
"""
_INSIDE: Final = text(
    "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema"
)
Facts = dict[str, object]


async def dump_postgres(url: str, to: Path, *, progress: Progress) -> Facts:
    """Dumps the node's tables to the existing file `to`, all of one moment.

    Returns:
        `revision`, `epoch`, `messages`, `inbox`, `unsent`, `tables_in` of that moment.

    Raises:
        UnavailableError: `E_DATABASE`; `E_BACKUP_TOOLS`, `pg_dump` is missing or failed.
    """
    _find("pg_dump")
    engine = make_engine(url)
    reading = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        with translated():
            async with reading.connect() as connection:
                facts = await _facts(connection)
                snapshot = (await connection.execute(text("SELECT pg_export_snapshot()"))).scalar_one()
                await _run(
                    [
                        *("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"),
                        *(f"--table={_quoted(str(facts['tables_in']))}.*", f"--file={to}", f"--dbname={_address(url)}"),
                    ],
                    url,
                    looking=lambda: progress("dumping", to.stat().st_size, 0),
                )
    finally:
        await engine.dispose()
    await _run(["pg_restore", "--list", str(to)], url)
    return facts


async def restore_postgres(
    url: str, backup: Path, restoring: Restoring, *, tables_in: str, scratch: Path, progress: Progress
) -> Restored:
    """Puts the tables of a backup in the place of the present ones, which are kept in a dated schema.

    Args:
        url: of the database; its account may create schemas in it.
        backup: the file.
        restoring: by whom and when.
        tables_in: the schema that the tables were in.
        scratch: where a copy of the backup has room while it is loaded.
        progress: is told how far it is.

    Raises:
        RefusedError: `E_NODE_RUNNING`; `E_BACKUP_DAMAGED`; `E_BACKUP_OTHER`, the account's tables belong elsewhere.
        UnavailableError: `E_DATABASE`, `E_FILE`; `E_BACKUP_TOOLS`, PostgreSQL's client is missing or failed.
    """
    for program in ("pg_restore", "psql"):
        _find(program)
    engine = make_engine(url, patient=True, alone=True)
    try:
        with translated():
            async with engine.connect() as connection:  # the lock lasts as long as this connection
                schema = await _current_schema(connection)
                if schema != tables_in:
                    detail = f"the backup's tables stand in the schema {tables_in}, this account's in {schema}"
                    raise RefusedError("E_BACKUP_OTHER", detail)
                present = await epoch_of(connection)
                await connection.rollback()
                await _load(url, backup, schema, scratch=scratch, progress=progress)
                return await _exchange(connection, schema, restoring, above=present)
    finally:
        await engine.dispose()


async def _load(url: str, backup: Path, schema: str, *, scratch: Path, progress: Progress) -> None:
    """The first transaction: the copy stands in `INCOMING`, the present tables where they were."""
    with room_beside(scratch, ending="pgdump") as dump, room_beside(scratch, ending="sql") as script:
        progress("copying", 0, 1)
        read_backup(backup, database_to=dump)
        progress("copying", 1, 1)
        before, after = script.with_suffix(".before"), script.with_suffix(".after")
        try:
            before.write_text(
                f"SET client_min_messages = warning;\nDROP SCHEMA IF EXISTS {INCOMING} CASCADE;\n"
                f"CREATE SCHEMA {INCOMING};\nCREATE SCHEMA {_OUTGOING};\n{_move(schema, _OUTGOING)}",
                "utf-8",
            )
            after.write_text(f"{_move(schema, INCOMING)}{_move(_OUTGOING, schema)}DROP SCHEMA {_OUTGOING};\n", "utf-8")
            # Into a file first: a half script must not be committed because its end looks like the end.
            await _run(["pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump)], url)
            command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"]
            files = [f"--file={part}" for part in (before, script, after)]
            await _run([*command, "--output=/dev/null", *files, f"--dbname={_address(url)}"], url)
        finally:
            before.unlink(missing_ok=True)
            after.unlink(missing_ok=True)


async def _exchange(connection: AsyncConnection, schema: str, restoring: Restoring, *, above: int) -> Restored:
    """The second transaction: new epoch, and the two sets of tables change places."""
    kept = f"ncp_bridge_kept_{restoring.now:%Y%m%dt%H%M%Sz}"
    async with connection.begin():
        await connection.execute(text(f"SET LOCAL search_path TO {INCOMING}"))
        restored = await renew(connection, restoring, above=above)
        await connection.execute(text("SET LOCAL search_path TO DEFAULT"))
        await connection.execute(text(f"CREATE SCHEMA {kept}"))
        await connection.exec_driver_sql(_move(schema, kept))
        await connection.exec_driver_sql(_move(INCOMING, schema))
        await connection.execute(text(f"DROP SCHEMA {INCOMING}"))
        nothing = not (await connection.execute(_INSIDE, {"schema": kept})).scalar_one()
        if nothing:
            await connection.execute(text(f"DROP SCHEMA {kept}"))
    aside = None if nothing else f"schema {kept}"
    return Restored(restored.epoch, restored.previous, restored.messages, restored.inbox, aside)


async def _facts(connection: AsyncConnection) -> Facts:
    revision = text("SELECT version_num FROM alembic_version")
    counts: dict[str, Executable] = {
        "epoch": select(node_state.c.epoch),
        "messages": select(func.count()).select_from(message),
        "inbox": select(func.count()).select_from(inbox),
        "unsent": select(func.count()).select_from(outbox).where(unsent),
        "revision": revision,
    }
    facts: Facts = {name: (await connection.execute(query)).scalar_one() for name, query in counts.items()}
    return facts | {"tables_in": await _current_schema(connection)}


async def _current_schema(connection: AsyncConnection) -> str:
    return str((await connection.execute(text("SELECT current_schema()"))).scalar_one())


async def _run(command: list[str], url: str, *, looking: Callable[[], None] | None = None) -> None:
    """Runs one of PostgreSQL's programs to its end; what it says against it becomes the sentence."""
    process = await asyncio.create_subprocess_exec(
        _find(command[0]),
        *command[1:],
        env=os.environ | _secrets(parse_url(url)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    watching = asyncio.create_task(_look(looking)) if looking is not None else None
    try:
        _, said = await process.communicate()
    finally:
        if watching is not None:
            watching.cancel()
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode:
        lines = [line for line in said.decode("utf-8", "replace").splitlines() if line.strip()]
        reason = lines[0] if lines else f"it ended with status {process.returncode}"
        raise UnavailableError("E_BACKUP_TOOLS", f"{command[0]} failed: {reason}")


async def _look(looking: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        looking()


def _find(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        detail = f"{program} is not on this machine's PATH; install PostgreSQL's client, not older than the server"
        raise UnavailableError("E_BACKUP_TOOLS", detail)
    return found


def _secrets(url: URL) -> Mapping[str, str]:
    """The password, where no other account of this machine reads it, and words in English."""
    return {"LC_MESSAGES": "C", "PGCONNECT_TIMEOUT": "10"} | ({"PGPASSWORD": str(url.password)} if url.password else {})


def _address(url: str) -> str:
    """The database as PostgreSQL's programs take it, without the password; the driver's `ssl` is their `sslmode`."""
    parsed = parse_url(url)
    query = {"sslmode" if name == "ssl" else name: value for name, value in parsed.query.items()}
    return URL.create(
        "postgresql", parsed.username, None, parsed.host, parsed.port, parsed.database, query
    ).render_as_string(hide_password=False)


def _move(source: str, target: str) -> str:
    return _MOVE.format(source=_literal(source), target=_literal(target))


def _literal(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
