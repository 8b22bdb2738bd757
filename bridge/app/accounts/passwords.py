"""Passwords: what is expected of one, and the port to whoever knows how they are hashed. None is ever kept."""

from __future__ import annotations

from typing import Final, Protocol

from bridge.core.errors import BadInputError

SHORTEST_PASSWORD: Final = 12  # NIST SP 800-63B asks for length, not for kinds of letters
LONGEST_PASSWORD: Final = 200


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


def check_password(password: str) -> None:
    """Whether it may be one.

    Raises:
        BadInputError: `E_ACCOUNT`.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        expected = f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        raise BadInputError("E_ACCOUNT", f"password: expected {expected}", path="password")
