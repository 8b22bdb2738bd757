"""The schema's revisions, in alembic's hands. Apart, because alembic takes 80 ms to import and is seldom needed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def known_revisions() -> frozenset[str]:
    """Every revision from which this program can upgrade, and its own."""
    return frozenset(script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions())


def run_migrations(connection: Connection) -> None:
    """Brings the schema from whatever known revision, or from nothing, to this program's."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
