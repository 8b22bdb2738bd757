"""Backup and restore of a node's database, SQLite or PostgreSQL: one file out, one file in.

Both judge what they are given before they change anything. Keys and settings are in no backup.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bridge.adapters.store.backup_file import (
    Backup,
    Manifest,
    Progress,
    digest_of,
    read_backup,
    refuse_existing,
    room_beside,
    write_backup,
)
from bridge.adapters.store.backup_postgres import dump_postgres, restore_postgres
from bridge.adapters.store.backup_sqlite import copy_sqlite, restore_sqlite
from bridge.adapters.store.engine import is_sqlite, parse_url, sqlite_path
from bridge.adapters.store.renewal import Restored, Restoring
from bridge.adapters.store.revisions import known_revisions
from bridge.core.errors import RefusedError
from bridge.core.times import format_time

__all__ = ["Backup", "NodeIdentity", "Progress", "Restored", "back_up", "check_backup", "read_backup", "restore"]


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Whose database it is; `network` is `None` while the node has no membership list."""

    country: str
    network: str | None
    contact_points: Sequence[str]


async def back_up(url: str, file: Path, identity: NodeIdentity, *, now: datetime, progress: Progress) -> Backup:
    """Copies the database, which may be in use, into the new file, and reads that back from its first to its last byte.

    Raises:
        RefusedError: `E_BACKUP_EXISTS`.
        UnavailableError: `E_DATABASE`, `E_FILE`, `E_BACKUP_TOOLS`.
    """
    refuse_existing(file)
    parsed = parse_url(url)
    with room_beside(file, ending="database") as copy:
        if is_sqlite(parsed):
            facts = copy_sqlite(sqlite_path(parsed), copy, progress=progress)
        else:
            facts = await dump_postgres(url, copy, progress=progress)
        size, sha256 = digest_of(copy)
        manifest = Manifest.model_validate(
            facts
            | {
                "made_at": format_time(now),
                "country": identity.country,
                "network": identity.network,
                "contact_points": list(identity.contact_points),
                "database": "sqlite" if is_sqlite(parsed) else "postgresql",
                "database_bytes": size,
                "database_sha256": sha256,
            }
        )
        write_backup(file, manifest, copy)
    return read_backup(file)


def check_backup(backup: Backup, url: str, identity: NodeIdentity) -> None:
    """Refuses a backup that does not belong to this node and its database.

    Raises:
        RefusedError: `E_BACKUP_OTHER`, of another country, network or database; `E_BACKUP_SCHEMA`, newer than we are.
    """
    manifest = backup.manifest
    kind = "sqlite" if is_sqlite(parse_url(url)) else "postgresql"
    different = {
        "country": (manifest.country, identity.country),
        "network": (manifest.network, identity.network),
        "database": (manifest.database, kind),
    }
    for what, (found, expected) in different.items():
        if found is not None and expected is not None and found != expected:
            raise RefusedError("E_BACKUP_OTHER", f"{backup.file}: {what}: found {found}, expected {expected}")
    if manifest.revision not in known_revisions():
        detail = f"{backup.file} has schema {manifest.revision}, which this program does not know; it needs a newer one"
        raise RefusedError("E_BACKUP_SCHEMA", detail)


async def restore(url: str, backup: Backup, restoring: Restoring, *, scratch: Path, progress: Progress) -> Restored:
    """Puts the database of a backup in the place of the node's, which is kept aside, and begins a new epoch.

    Args:
        url: of the node's database.
        backup: as `check_backup` let it pass.
        restoring: by whom and when.
        scratch: a path in a folder with room for a copy, for PostgreSQL.
        progress: is told how far it is.

    Raises:
        RefusedError: `E_NODE_RUNNING`, `E_BACKUP_DAMAGED`, `E_BACKUP_OTHER`.
        UnavailableError: `E_DATABASE`, `E_FILE`, `E_BACKUP_TOOLS`.
    """
    parsed = parse_url(url)
    if is_sqlite(parsed):
        return await restore_sqlite(sqlite_path(parsed), backup.file, restoring, progress=progress)
    tables_in = backup.manifest.tables_in or ""
    return await restore_postgres(url, backup.file, restoring, tables_in=tables_in, scratch=scratch, progress=progress)
