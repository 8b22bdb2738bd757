"""A new version comes to where nodes read it whole, whatever interrupts it.

Rules:
1. Everything new is first on the disk, aside, and then gets one name (`PENDING`): from there on it is published, by
   this command or by the next one. Before, nothing has happened.
2. Then each file is moved to its place, which takes no room on the disk. The timestamp, which makes a version visible,
   is the last; a new root, which counts as soon as it is there, comes just before it.

It lies within the mirror because moving does not work from one disk to another. Nodes never ask for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bridge.adapters.trust.membership.mirror import METADATA, TIMESTAMP
from bridge.core.errors import UnavailableError
from bridge.private_files import sync_folder

PENDING: Final = ".pending"
UNFINISHED: Final = "a publication was interrupted: `ncp-bridge network confirm DIR` finishes it"
_BEGUN: Final = ".begun"


def publish_files(mirror: Path, files: Mapping[str, bytes]) -> None:
    """Brings these files to the mirror, by their names in it.

    Raises:
        OSError: they could not be written; nothing has changed.
        UnavailableError: they could not all be moved; the next command finishes it (`E_NETWORK_FOLDER`).
    """
    begun = mirror / _BEGUN
    shutil.rmtree(begun, ignore_errors=True)
    try:
        for name, data in files.items():
            write_file(begun / name, data)
        for folder in (begun, *(path for path in begun.rglob("*") if path.is_dir())):
            sync_folder(folder)
    except OSError:
        shutil.rmtree(begun, ignore_errors=True)
        raise
    begun.rename(mirror / PENDING)
    sync_folder(mirror)
    finish(mirror)


def is_unfinished(mirror: Path) -> bool:
    """Whether a publication was interrupted that is to be finished."""
    return (mirror / PENDING).exists()


def finish(mirror: Path) -> None:
    """Moves what is still pending to its place; raises `UnavailableError` like `publish_files`."""
    pending = mirror / PENDING
    try:
        for path in sorted((path for path in pending.rglob("*") if path.is_file()), key=_turn):
            place = mirror / path.relative_to(pending)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
        sync_folder(mirror / METADATA)  # the timestamp: told as published, it is
        shutil.rmtree(pending, ignore_errors=True)
    except OSError as error:
        detail = f"{error.filename}: {error.strerror}; {UNFINISHED}, once that is mended"
        raise UnavailableError("E_NETWORK_FOLDER", detail) from None


def write_file(path: Path, data: bytes) -> None:
    """A file that everybody may read, whole or not at all, on the disk before it is visible; raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    Path(file.name).chmod(0o644)  # nodes read it
    Path(file.name).replace(path)


def _turn(path: Path) -> tuple[bool, bool, str]:
    return path.name == TIMESTAMP, path.name.endswith(".root.json"), path.name
