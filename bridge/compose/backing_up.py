"""Backup and restore as the commands use them: the node's settings in, what was done out.

Neither loads a key. The membership list says which network it is; a node that has none is backed up all the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from bridge.adapters.store import open_store
from bridge.adapters.store.backup import (
    Backup,
    NodeIdentity,
    Progress,
    Restored,
    back_up,
    check_backup,
    read_backup,
    restore,
)
from bridge.adapters.store.renewal import Restoring
from bridge.adapters.system import SystemClock
from bridge.compose.node import open_trust
from bridge.core.errors import UnavailableError
from bridge.ports.store.records import AuditEntry
from bridge.settings import NodeSettings

__all__ = ["BackupMade", "Progress", "Restored", "back_up_node", "choose_backup", "read_backup", "restore_node"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BackupMade:
    """A backup that was written and read back, and how long that took."""

    backup: Backup
    seconds: float


async def back_up_node(settings: NodeSettings, file: Path, *, actor: str, progress: Progress) -> BackupMade:
    """Writes a backup of the node's database, which may be in use; the audit log says that there is one.

    Raises:
        RefusedError: `E_BACKUP_EXISTS`.
        UnavailableError: `E_DATABASE`, `E_FILE`, `E_BACKUP_TOOLS`.
    """
    begun, now = time.monotonic(), SystemClock().now()
    identity = await _identity(settings)
    backup = await back_up(settings.database_url, file, identity, now=now, progress=progress)
    detail = {"file": str(backup.file), "sha256": backup.sha256}
    entry = AuditEntry(
        at=now, actor=actor, action="database.backed_up", contact_point=None, subject=None, detail=detail
    )
    await _note(settings, entry)
    return BackupMade(backup, time.monotonic() - begun)


async def choose_backup(settings: NodeSettings, file: Path) -> Backup:
    """Reads a backup from its first to its last byte, and refuses one that is not this node's.

    Raises:
        RefusedError: `E_BACKUP_DAMAGED`, `E_BACKUP_OTHER`, `E_BACKUP_SCHEMA`.
        UnavailableError: `E_FILE`.
    """
    backup = read_backup(file)
    check_backup(backup, settings.database_url, await _identity(settings))
    return backup


async def restore_node(settings: NodeSettings, backup: Backup, *, actor: str, progress: Progress) -> Restored:
    """Puts the database of a backup in the place of the node's, which is kept aside, and begins a new epoch.

    Raises:
        RefusedError: `E_NODE_RUNNING`, `E_BACKUP_DAMAGED`, `E_BACKUP_OTHER`.
        UnavailableError: `E_DATABASE`, `E_FILE`, `E_BACKUP_TOOLS`.
    """
    origin = {"backup_sha256": backup.sha256, "backup_made_at": backup.manifest.made_at}
    restoring = Restoring(SystemClock().now(), actor, origin)
    scratch = settings.folder / "restore"
    return await restore(settings.database_url, backup, restoring, scratch=scratch, progress=progress)


async def _identity(settings: NodeSettings) -> NodeIdentity:
    network = None
    trust = open_trust(settings)
    try:
        network = (await trust.refresh()).network
    except UnavailableError as error:
        _log.warning("backup.without_network", reason=error.code)
    return NodeIdentity(settings.country, network, sorted(point.id for point in settings.contact_points))


async def _note(settings: NodeSettings, entry: AuditEntry) -> None:
    """A database that cannot be written is no reason to have no backup of it."""
    store = open_store(settings.database_url)
    try:
        async with store.writing() as unit:
            await unit.audit.add([entry])
    except UnavailableError as error:
        _log.warning("backup.not_in_audit_log", reason=error.code)
    finally:
        await store.close()
