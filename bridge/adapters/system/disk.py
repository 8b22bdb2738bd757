"""How much room a folder's file system has left, and whether that is less than what the node keeps in reserve.

Receiving stops while there is still room, so that what is in work can be finished: an outbox row that was published
must be marked, or it is published again for as long as the disk is full.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from bridge.core.errors import UnavailableError

MIB: Final = 1024**2
MOST_RESERVE_BYTES: Final = 256 * MIB
RESERVE_PART: Final = 10  # of a small file system: a tenth
ENOUGH_AGAIN: Final = 1.25  # times the reserve, so that receiving does not begin and end with every message
NOTHING_IS_RECEIVED: Final = "nothing is received until there is more room"


class DiskReserve:
    """Watches the file system of one folder.

    Args:
        folder: any folder on it.
        reserve_bytes: what must stay free; 256 MiB, or a tenth of a smaller file system, when `None`.
        consequence: what it means, for people, when less is free.
    """

    def __init__(
        self, folder: Path, *, reserve_bytes: int | None = None, consequence: str = NOTHING_IS_RECEIVED
    ) -> None:
        self._folder, self._given, self._consequence = folder, reserve_bytes, consequence
        self._is_low = False

    def check(self) -> str:
        """One sentence on the room that is left; costs microseconds.

        Raises:
            UnavailableError: `E_DISK`, less than the reserve is left, and after that until there is a quarter more.
        """
        try:
            found = os.statvfs(self._folder)
        except OSError as error:
            raise UnavailableError("E_DISK", f"{self._folder}: {error.strerror}") from None
        free, size = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
        reserve = min(MOST_RESERVE_BYTES, size // RESERVE_PART) if self._given is None else self._given
        self._is_low = free < (reserve * ENOUGH_AGAIN if self._is_low else reserve)
        detail = f"{free / MIB:.1f} MiB free under {self._folder}, {reserve / MIB:.1f} MiB are the reserve"
        if self._is_low:
            raise UnavailableError("E_DISK", f"{detail}; {self._consequence}")
        return detail
