"""A small disk of its own for a test: filled to the last byte, made read-only, emptied again. It needs root."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers.missing import server_is_missing

MIB = 1024**2
BLOCK = 4096


@dataclass(frozen=True)
class SmallDisk:
    """A file system in memory, mounted at `folder`."""

    folder: Path

    @property
    def free_bytes(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize

    def fill(self, *, leave_bytes: int = 0) -> None:
        """Takes what is free, except so much."""
        handle = os.open(self._ballast, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        try:
            with contextlib.suppress(OSError):  # it is full
                while self.free_bytes > leave_bytes:
                    os.write(handle, b"\0" * min(BLOCK, self.free_bytes - leave_bytes))
        finally:
            os.close(handle)

    def empty(self) -> None:
        """Gives back what `fill` took."""
        self._ballast.unlink(missing_ok=True)

    def set_read_only(self, read_only: bool) -> None:  # noqa: FBT001 - as in `mount`
        """Remounts it; nobody may have a file open for writing when it gets read-only."""
        _run("mount", "-o", f"remount,{'ro' if read_only else 'rw'}", str(self.folder))

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"


@contextmanager
def small_disk(folder: Path, *, size_bytes: int) -> Iterator[SmallDisk]:
    """Mounts one at a folder that is made for it; without the right to mount the test is skipped, in CI it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0755", "tmpfs", str(folder))
    except (OSError, subprocess.CalledProcessError) as error:
        server_is_missing(f"a small disk cannot be mounted: {error}")
    try:
        yield SmallDisk(folder)
    finally:
        _run("umount", "--lazy", str(folder))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603 - mount and umount
