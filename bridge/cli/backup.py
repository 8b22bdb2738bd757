"""`ncp-bridge backup` and `ncp-bridge restore`: a copy of the node's database while it runs, and back again."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from bridge.cli.options import Config, officer_or_login
from bridge.cli.output import Json, emit, say, tell_warnings
from bridge.compose.backing_up import Restored, back_up_node, choose_backup, read_backup, restore_node
from bridge.core.errors import BadInputError, RefusedError
from bridge.settings import load_settings

backup_app = typer.Typer(rich_markup_mode=None, add_completion=False)
restore_app = typer.Typer(rich_markup_mode=None, add_completion=False)

BackupFile = Annotated[str, typer.Argument(metavar="FILE", help="The backup's file.")]
_EVERY_SECONDS: Final = 2.0


@backup_app.command("backup")
def backup(
    file: BackupFile,
    config: Annotated[
        Path | None, typer.Option("--config", envvar="NCP_BRIDGE_CONFIG", help="The node's settings file.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Only prove that an existing backup is whole.")] = False,
    as_json: Json = False,
) -> None:
    """Copy the node's database into the new FILE while the node runs, and prove the copy.

    Keys, secrets and settings are not in it: back those up apart from it. Bodies in it stay encrypted to the storage
    keys. Nothing is overwritten.
    """
    path, begun = _path(file), time.monotonic()
    if verify:
        tell_warnings()
        made, seconds = read_backup(path), time.monotonic() - begun
    elif config is None:
        raise BadInputError("E_USAGE", "backup: --config is missing; expected the node's settings file")
    else:
        settings = load_settings(config)
        tell_warnings()
        work = back_up_node(settings, path, actor=officer_or_login(None), progress=_Progress())
        finished = asyncio.run(work)
        made, seconds = finished.backup, finished.seconds
    manifest = made.manifest
    data = {
        "file": str(made.file),
        "bytes": made.size,
        "sha256": made.sha256,
        "messages": manifest.messages,
        "inbox": manifest.inbox,
        "epoch": manifest.epoch,
        "seconds": round(seconds, 3),
        "manifest": manifest.model_dump(mode="json"),
    }
    text = (
        f"{made.file}: {manifest.country} of {manifest.made_at}, {manifest.messages} messages sent, "
        f"{manifest.inbox} in the inbox, {made.size} bytes, whole\nSHA-256 {made.sha256}"
    )
    emit(data, as_json=as_json, text=lambda: text)


@restore_app.command("restore")
def restore(
    file: BackupFile,
    config: Config,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Put the database of a backup in the place of the node's, while the node is stopped.

    The present database is kept under a dated name. The restored node begins a new epoch: what peers have that it no
    longer knows stays theirs, and what was sent to it since the backup is asked for again.
    """
    if not yes and not sys.stdin.isatty():
        raise BadInputError("E_USAGE", "restore: without a terminal it takes --yes; nothing was restored")
    path, settings = _path(file), load_settings(config)
    tell_warnings()

    async def work() -> Restored:
        chosen = await choose_backup(settings, path)
        made_at = chosen.manifest.made_at
        if not yes:
            question = f"Restore {settings.country}'s database as of {made_at}? What came later is only kept aside."
            if not typer.confirm(question, err=True):
                raise RefusedError("E_NOT_CONFIRMED", "nothing was restored")
        return await restore_node(settings, chosen, actor=officer_or_login(None), progress=_Progress())

    restored = asyncio.run(work())
    data = {
        "epoch": restored.epoch,
        "previous": restored.previous,
        "messages": restored.messages,
        "inbox": restored.inbox,
        "kept_aside": restored.kept_aside,
    }
    text = (
        f"restored: {restored.messages} messages sent, {restored.inbox} in the inbox; epoch {restored.epoch} begins\n"
        f"the database before: {restored.kept_aside or 'there was none'}"
    )
    emit(data, as_json=as_json, text=lambda: text)


class _Progress:
    """Says on stderr how far it is, every few seconds and at each end."""

    def __init__(self) -> None:
        self._said_at = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """`total` is 0 while nobody knows it."""
        now = time.monotonic()
        if done != total and now - self._said_at < _EVERY_SECONDS:
            return
        self._said_at = now
        say(f"{what}: {100 * done // total} %" if total else f"{what}: {done // 1024} KiB")


def _path(file: str) -> Path:
    if file == "-":
        raise BadInputError("E_USAGE", "FILE: found -, expected a file: a backup is read again before it counts")
    return Path(file)
