"""Reads a trust repository's files from a folder, for python-tuf's client. No network.

Rules:
1. Only names that a repository of ours has are read; nothing outside the folder can be named.
2. Only regular files, and never more than `MAX_FILE_BYTES`; the client's own limits for each role are tighter.
3. Nothing is trusted because it lies here: what is read is verified by the client.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, Protocol

from tuf.api.exceptions import DownloadError, DownloadHTTPError
from tuf.ngclient import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from bridge.core.list_files import is_list_file

METADATA: Final = "metadata"
TARGETS: Final = "targets"
TIMESTAMP: Final = "timestamp.json"
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
LIMITS: Final = UpdaterConfig(
    max_root_rotations=64,
    max_delegations=8,
    root_max_length=256 * 1024,
    timestamp_max_length=16 * 1024,
    snapshot_max_length=256 * 1024,
    targets_max_length=MAX_FILE_BYTES,
)
_NOT_FOUND: Final = 404


class Mirror(Protocol):
    """A place that the files of a trust repository can be read from.

    Attributes:
        name: for people: a path or an address.
    """

    name: str

    def attempt(self) -> FetcherInterface:
        """Serves the files for one refresh, within the mirror's deadline where it has one."""
        ...


class FolderMirror:
    """A mirror in a folder of this machine."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        self._folder = folder

    def attempt(self) -> FetcherInterface:
        """The folder."""
        return MirrorFetcher(self._folder)


class MirrorFetcher(FetcherInterface):
    """Serves the mirror folder."""

    def __init__(self, mirror: Path) -> None:
        self._mirror = mirror

    def _fetch(self, url: str) -> Iterator[bytes]:
        check_name(url)
        return _bytes_or_not_found(self._mirror / url)


class FilesFetcher(FetcherInterface):
    """Serves files that are in memory."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url in self._files:
            return iter((self._files[url],))
        message = f"{url[:200]}: not among the files"
        raise DownloadHTTPError(message, _NOT_FOUND)


class OverlayFetcher(FetcherInterface):
    """Serves files that are not in the mirror yet above those that are: how a mirror with them would look."""

    def __init__(self, new_files: Mapping[str, bytes], mirror: Path) -> None:
        self._new_files = new_files
        self._mirror = MirrorFetcher(mirror)

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url in self._new_files:
            return iter((self._new_files[url],))
        return self._mirror.fetch(url)


class CutOffFetcher(FetcherInterface):
    """Serves no mirror: the client gets its own last timestamp again, and with it all that it verified before."""

    def __init__(self, last_timestamp: Path) -> None:
        self._last_timestamp = last_timestamp

    def _fetch(self, url: str) -> Iterator[bytes]:
        if url == f"{METADATA}/{TIMESTAMP}":
            return _bytes_or_not_found(self._last_timestamp)
        message = f"{url[:200]}: no mirror"
        raise DownloadHTTPError(message, _NOT_FOUND)


def check_name(name: str) -> None:
    """Raises `DownloadError` for what is no file of a trust repository of ours."""
    if not is_list_file(name):
        message = f"{name[:200]} is no file of a trust repository"
        raise DownloadError(message)


def _bytes_or_not_found(path: Path) -> Iterator[bytes]:
    try:
        return iter((read_bounded(path),))
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise DownloadHTTPError(message, _NOT_FOUND) from None


def read_bounded(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        OSError: it is not there, not a regular file, or larger than `MAX_FILE_BYTES`.
    """
    # Not blocking: a pipe in the folder must not stop the reader.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(0, "not a regular file", str(path))
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise OSError(0, f"larger than {MAX_FILE_BYTES} bytes", str(path))
    return data
