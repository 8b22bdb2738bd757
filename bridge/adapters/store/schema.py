"""Creates and upgrades the database's schema with the migrations that come with this program.

A migration is one transaction on both databases: killed in the middle, it never happened. Several processes may migrate
at once; they take turns. A schema newer than this program is refused, never touched.

A new migration: change `tables.py`, write `migrations/versions/<revision>_<name>.py`, raise `SCHEMA_REVISION`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from bridge.adapters.store.engine import create_file, make_engine
from bridge.adapters.store.transaction import translated
from bridge.core.errors import UnavailableError

_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_ADVISORY_LOCK: Final = 0x6E6370  # any number, the same in every process ("ncp")


async def migrate(url: str) -> None:
    """Creates the schema or brings it up to this program's; an SQLite file is created readable by its owner only.

    Raises:
        BadInputError: `E_DATABASE_URL`.
        UnavailableError: `E_DATABASE`, it cannot be reached or written; `E_DATABASE_SCHEMA`, it is newer than we are.
    """
    create_file(url)
    engine = make_engine(url)
    try:
        with translated():
            async with engine.begin() as connection:
                await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ADVISORY_LOCK})
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        detail = f"the database has schema {current}, which this program does not know; it needs a newer program"
        raise UnavailableError("E_DATABASE_SCHEMA", detail)
    command.upgrade(config, "head")
