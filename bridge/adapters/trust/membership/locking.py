"""One process at a time in a folder, by a lock that ends with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

POLL_SECONDS: Final = 0.01


class LockedError(Exception):
    """Somebody else held the lock all the time."""


@contextmanager
def locked(path: Path, *, wait_seconds: float) -> Iterator[None]:
    """Holds the lock file `path`; blocks the calling thread for at most `wait_seconds`.

    Raises:
        LockedError: it was not free in time.
        OSError: the file cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = f"{path} is held by another process"
                    raise LockedError(message) from None
                time.sleep(POLL_SECONDS)
        yield
    finally:
        os.close(handle)
