"""What of the trust repository was verified last, on disk: replaced as a whole or not at all.

Rules:
1. Verification works in a copy; only a copy that verified completely becomes the current one, by one rename. A mirror
   that is half copied, or half forged, cannot spoil what was verified before.
2. With the files stands what was seen: under which pinned root, up to which version, and when it was verified.
3. One process at a time.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.adapters.trust.documents import Time
from bridge.adapters.trust.locking import locked
from bridge.adapters.trust.mirror import read_bounded
from bridge.core.times import format_time
from bridge.core.wire import strict_json

LOCK_SECONDS: Final = 5.0
_CURRENT: Final = "current"
_SEEN: Final = "seen.json"
_COPY: Final = "verified-"


class Seen(BaseModel):
    """What outlives a restart besides the files themselves."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    root_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    highest_version: Annotated[int, Field(ge=1, le=2**53 - 1)]
    verified_at: Time


class ListCache:
    """One cache folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def seen(self, root_sha256: str) -> Seen | None:
        """What was seen under this pinned root; `None` when nothing was, or when the record is unreadable."""
        try:
            seen = Seen.model_validate(strict_json.parse_object(read_bounded(self._folder / _CURRENT / _SEEN)))
        except (OSError, strict_json.StrictJsonError, ValidationError):
            return None
        return seen if seen.root_sha256 == root_sha256 else None

    @contextmanager
    def copy(self, *, fresh: bool) -> Iterator[Path]:
        """A folder to verify in, a copy of the current one unless `fresh`; gone afterwards unless it was kept.

        Raises:
            LockedError: another process works here for more than `LOCK_SECONDS`.
            OSError: the folder cannot be written.
        """
        with locked(self._folder / "lock", wait_seconds=LOCK_SECONDS):
            current = self._folder / _CURRENT
            copy = Path(tempfile.mkdtemp(prefix=_COPY, dir=self._folder))
            try:
                if current.exists() and not fresh:
                    shutil.copytree(current, copy, symlinks=True, dirs_exist_ok=True)
                yield copy
            finally:
                self._sweep()

    def keep(self, copy: Path, *, root_sha256: str, highest_version: int, verified_at: datetime) -> None:
        """Makes the verified copy the current one."""
        seen = {
            "root_sha256": root_sha256,
            "highest_version": highest_version,
            "verified_at": format_time(verified_at),
        }
        (copy / _SEEN).write_bytes(strict_json.encode(seen))
        link = self._folder / f".{_CURRENT}"
        link.unlink(missing_ok=True)
        link.symlink_to(copy.name)
        link.replace(self._folder / _CURRENT)

    def _sweep(self) -> None:
        """Removes every copy that is not the current one, those of crashed processes too."""
        current = (self._folder / _CURRENT).resolve()
        for folder in self._folder.glob(f"{_COPY}*"):
            if folder.resolve() != current:
                shutil.rmtree(folder, ignore_errors=True)
