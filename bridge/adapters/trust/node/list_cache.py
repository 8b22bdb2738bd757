"""What of the trust repository was verified last, on disk: replaced as a whole or not at all.

Rules:
1. Verification works in a copy of its own; only a copy that verified completely becomes the current one, by one rename.
   A mirror that is half copied, or half forged, cannot spoil what was verified before.
2. With the files stands what was seen: under which pinned root, up to which version, under which root
   and online keys, when it was verified, and what the revocation role had said.
3. Copying, reading and verifying take no lock: a mirror may be slow, and a process may stop anywhere. One process at a
   time makes its copy the current one, after a look at what others have kept since it began.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import structlog
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from bridge.adapters.trust.membership.forms import MAX_REVOKED, Time
from bridge.adapters.trust.membership.locking import locked
from bridge.adapters.trust.membership.mirror import read_bounded
from bridge.core.wire import strict_json

LOCK_SECONDS: Final = 5.0
ABANDONED_SECONDS: Final = 3600.0  # far more than all mirrors together may take
TRIES: Final = 10  # each fails only where somebody keeps another list in that very moment
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
    timestamp_version: Annotated[int, Field(ge=0)] = 0  # 0: kept by an earlier program
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
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=_COPY, dir=self._folder))
        try:
            yield Copy(folder, self._fill(folder, root_sha256))
        finally:
            if folder != self._current:
                shutil.rmtree(folder, ignore_errors=True)

    def keep(self, copy: Path, root_sha256: str, seen_after: Callable[[Seen | None], Seen]) -> None:
        """Makes the verified copy the current one; on the disk before it is visible.

        Args:
            copy: the folder of `copy`.
            root_sha256: of the pinned root.
            seen_after: told what others have kept meanwhile, it answers what is seen now; what it raises ends it.

        Raises:
            LockedError: another process is at the same for more than `LOCK_SECONDS`.
            OSError: the folder cannot be written.
        """
        (copy / _SEEN).unlink(missing_ok=True)  # it may be the same file in the copy before
        files = [path for path in copy.rglob("*") if path.is_file() and not path.is_symlink()]
        new = [path for path in files if path.stat().st_nlink == 1]  # the others are safe since they were kept first
        with ThreadPoolExecutor(max_workers=SYNCS_AT_ONCE) as pool:
            list(pool.map(_sync, new))  # a disk takes many at once hardly slower than one
        with locked(self._folder / "lock", wait_seconds=LOCK_SECONDS):
            seen, before = seen_after(self.seen(root_sha256)), self._current
            (copy / _SEEN).write_bytes(strict_json.encode(seen.model_dump(mode="json")))
            _sync(copy / _SEEN)
            link = self._folder / f".{_CURRENT}"
            link.unlink(missing_ok=True)
            link.symlink_to(copy.name)
            link.replace(self._folder / _CURRENT)
            _sync(self._folder)
            if before is not None:
                _remove(before)
            self._sweep(copy)

    def seen(self, root_sha256: str) -> Seen | None:
        """What was seen under this pinned root, or `None`."""
        return self._read(root_sha256)[1]

    @property
    def _current(self) -> Path | None:
        """The folder that is the current one at this moment."""
        try:
            return self._folder / (self._folder / _CURRENT).readlink()
        except FileNotFoundError:
            return None

    def _fill(self, copy: Path, root_sha256: str) -> Seen | None:
        """Puts what was verified last into the copy; whoever keeps another list in that moment removes it meanwhile."""
        for _ in range(TRIES):
            current, seen = self._read(root_sha256)
            if current is None or seen is None:
                return None
            try:
                shutil.copytree(current, copy, symlinks=True, dirs_exist_ok=True, copy_function=_same_file)
            except OSError:
                if current.exists():
                    raise
            if current.exists():  # so nothing of it was gone while it was copied
                return seen
            shutil.rmtree(copy)
            copy.mkdir(mode=0o700)
        raise _restless(self._folder)

    def _read(self, root_sha256: str) -> tuple[Path | None, Seen | None]:
        """The current folder, and what was seen when it was kept."""
        for _ in range(TRIES):
            current = self._current
            if current is None:
                return None, None
            try:
                seen = Seen.model_validate(strict_json.parse_object(read_bounded(current / _SEEN)))
            except (OSError, strict_json.StrictJsonError, ValidationError):
                if current != self._current:
                    continue
                _log.error("trust.cache_damaged", folder=str(current))
                return current, None
            return current, seen if seen.root_sha256 == root_sha256 else None
        raise _restless(self._folder)

    def _sweep(self, current: Path) -> None:
        """Removes the copies that crashed processes left."""
        long_ago = time.time() - ABANDONED_SECONDS
        for folder in self._folder.glob(f"{_COPY}*"):
            with suppress(FileNotFoundError):  # another process is done with its own
                if folder != current and folder.stat().st_mtime < long_ago:
                    shutil.rmtree(folder, ignore_errors=True)


def _remove(folder: Path) -> None:
    """Removes what was current; renamed first, so that whoever copies it finds out."""
    gone = folder.with_name(f"{folder.name}.gone")
    try:
        folder.rename(gone)
    except FileNotFoundError:
        return
    shutil.rmtree(gone, ignore_errors=True)


def _restless(folder: Path) -> OSError:
    return OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(folder))


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
