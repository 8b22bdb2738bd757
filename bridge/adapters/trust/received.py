"""The files of the trust repository that came through the bridge itself, as one more mirror: `trust/received/`.

Rules:
1. Whoever sent them, they are believed as little as any mirror's: the client verifies them.
2. Only names that a repository of ours has; what is not text of such a file changes nothing.
3. The folder holds what came last and nothing else. What verified is in the cache; what did not is no use.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.mirror import METADATA, TIMESTAMP, MirrorFetcher, check_name

_LAST: Final = f"{METADATA}/{TIMESTAMP}"


class ReceivedFiles:
    """The folder; it need not be there."""

    def __init__(self, folder: Path) -> None:
        self.name = "what came through the bridge"
        self._folder = folder

    @property
    def is_there(self) -> bool:
        """Whether there is anything to look at."""
        return (self._folder / _LAST).exists()

    def attempt(self) -> FetcherInterface:
        """The folder as a mirror."""
        return MirrorFetcher(self._folder)

    def keep(self, files: Mapping[str, bytes]) -> None:
        """Puts these files in the place of those before; the timestamp last, by which the others are found.

        Raises:
            DownloadError: a name is not one of a trust repository.
            OSError: the folder cannot be written.
        """
        for name in files:
            check_name(name)
        for name in sorted(files, key=lambda name: (name == _LAST, name)):
            _write(self._folder / name, files[name])
        self._remove_all_but(files)

    def discard(self) -> None:
        """Removes what did not verify, so that it is not looked at again and again."""
        self._remove_all_but({})

    def _remove_all_but(self, files: Mapping[str, bytes]) -> None:
        staying = {self._folder / name for name in files}
        for path in self._folder.rglob("*"):
            if path.is_file() and path not in staying:
                path.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)
