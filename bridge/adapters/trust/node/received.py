"""The files of the trust repository that came through the bridge itself, as one more mirror: `trust/received/`.

Rules:
1. It holds what came last and verified when it came, and nothing else. The process that it came to has it; this is for
   the node's others, which believe it as little as any mirror's: the client verifies it.
2. Only names that a repository of ours has.
3. One at a time, whichever process: what is half there would not verify, and be thrown away.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tuf.ngclient.fetcher import FetcherInterface

from bridge.adapters.trust.membership.locking import locked
from bridge.adapters.trust.membership.mirror import METADATA, TIMESTAMP, MirrorFetcher, check_name

LOCK_SECONDS: Final = 10.0
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
            LockedError: another process looks at it for more than `LOCK_SECONDS`.
            OSError: the folder cannot be written.
        """
        for name in files:
            check_name(name)
        with self.turn():
            for name in sorted(files, key=lambda name: (name == _LAST, name)):
                _write(self._folder / name, files[name])
            self._remove_all_but(files)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Nobody else writes here or looks meanwhile; raises `LockedError`, or `OSError`."""
        with locked(self._folder.with_suffix(".lock"), wait_seconds=LOCK_SECONDS):
            yield

    def discard(self) -> None:
        """Removes what did not verify, so that it is not looked at again and again; called in one's turn."""
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
