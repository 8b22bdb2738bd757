"""What of the trust repository was verified last, on disk: replaced as a whole or not at all.

Rules:
1. Verification works in a copy; only a copy that verified completely becomes the current one, by one rename. A mirror
   that is half copied, or half forged, cannot spoil what was verified before.
2. With the files stands what was seen: under which pinned root, up to which version, under which root
   and online keys, when it was verified, and what the revocation role had said.
3. One process at a time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import structlog
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from bridge.adapters.trust.forms import MAX_REVOKED, Time
from bridge.adapters.trust.locking import locked
from bridge.adapters.trust.mirror import read_bounded
from bridge.core.wire import strict_json

LOCK_SECONDS: Final = 5.0
SYNCS_AT_ONCE: Final = 16
Stops = Annotated[
    frozenset[Annotated[str, Field(pattern=r"^[a-z0-9.#-]{2,80}( [0-9TZ:.-]{24})?$")]],
    Field(strict=False, max_length=2 * MAX_REVOKED),
    PlainSerializer(sorted, return_type=list[str]),
]
KeyIds = Annotated[
    frozenset[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]],
    Field(strict=False, max_length=MAX_REVOKED),
    PlainSerializer(sorted, return_type=list[str]),
]
_CURRENT: Final = "current"
_SEEN: Final = "seen.json"
_COPY: Final = "verified-"

_log = structlog.get_logger(__name__)


class Seen(BaseModel):
    """What outlives a restart besides the files themselves."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    root_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    highest_version: Annotated[int, Field(ge=1, le=2**53 - 1)]
    root_version: Annotated[int, Field(ge=1)]
    online_keys: KeyIds
    verified_at: Time
    stops: Stops = frozenset()


@dataclass(frozen=True, slots=True)
class Copy:
    """A folder to verify in, and what was seen before; without that it is empty."""

    folder: Path
    seen: Seen | None


class ListCache:
    """One cache folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def copy(self, root_sha256: str) -> Iterator[Copy]:
        """A copy of what was verified last under this pinned root; gone afterwards unless it was kept.

        Raises:
            LockedError: another process works here for more than `LOCK_SECONDS`.
            OSError: the folder cannot be written.
        """
        with locked(self._folder / "lock", wait_seconds=LOCK_SECONDS):
            seen = self.seen(root_sha256)
            copy = Path(tempfile.mkdtemp(prefix=_COPY, dir=self._folder))
            try:
                if seen is not None:
                    shutil.copytree(
                        self._folder / _CURRENT, copy, symlinks=True, dirs_exist_ok=True, copy_function=_same_file
                    )
                yield Copy(copy, seen)
            finally:
                self._sweep()

    def keep(self, copy: Path, seen: Seen) -> None:
        """Makes the verified copy the current one; on the disk before it is visible."""
        (copy / _SEEN).unlink(missing_ok=True)
        (copy / _SEEN).write_bytes(strict_json.encode(seen.model_dump(mode="json")))
        files = [path for path in copy.rglob("*") if path.is_file() and not path.is_symlink()]
        new = [path for path in files if path.stat().st_nlink == 1]  # the others are safe since they were kept first
        with ThreadPoolExecutor(max_workers=SYNCS_AT_ONCE) as pool:
            list(pool.map(_sync, new))  # a disk takes many at once hardly slower than one
        link = self._folder / f".{_CURRENT}"
        link.unlink(missing_ok=True)
        link.symlink_to(copy.name)
        link.replace(self._folder / _CURRENT)
        _sync(self._folder)

    def seen(self, root_sha256: str) -> Seen | None:
        """What was seen under this pinned root, or `None`."""
        current = self._folder / _CURRENT
        if not current.exists():
            return None
        try:
            seen = Seen.model_validate(strict_json.parse_object(read_bounded(current / _SEEN)))
        except (OSError, strict_json.StrictJsonError, ValidationError):
            _log.error("trust.cache_damaged", folder=str(current))
            return None
        return seen if seen.root_sha256 == root_sha256 else None

    def _sweep(self) -> None:
        """Removes every copy that is not the current one, those of crashed processes too."""
        current = (self._folder / _CURRENT).resolve()
        for folder in self._folder.glob(f"{_COPY}*"):
            if folder.resolve() != current:
                shutil.rmtree(folder, ignore_errors=True)


def _same_file(source: str, copy: str) -> None:
    """One file in both folders: whoever verifies there writes new files and none that is there."""
    try:
        os.link(source, copy)
    except OSError:  # a file system without hard links
        shutil.copy2(source, copy)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
