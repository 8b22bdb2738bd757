"""The source of the membership list."""

from __future__ import annotations

from typing import Protocol

from bridge.core.directory import Directory


class TrustSource(Protocol):
    """Holds the newest verified membership list and refreshes it on demand."""

    def current(self) -> Directory:
        """The last verified list, however old; verification judges its age.

        Raises:
            UnavailableError: no list was ever verified.
        """
        ...

    def highest_version(self) -> int:
        """The highest list version ever seen here; an older list is not used (rollback)."""
        ...

    async def refresh(self) -> Directory:
        """Asks the mirror for a newer list and returns what is current then; offline it keeps the last valid one."""
        ...
