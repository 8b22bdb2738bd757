"""The port for passwords: hashed by whoever knows how, never kept."""

from __future__ import annotations

from typing import Protocol


class Passwords(Protocol):
    """Hashes and checks. Both take as long for a wrong password as for a right one."""

    def hash(self, password: str) -> str:
        """The hash to store, with its parameters and salt in it."""
        ...

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password; takes the same time where there is no hash."""
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it was made with weaker parameters than today's."""
        ...
