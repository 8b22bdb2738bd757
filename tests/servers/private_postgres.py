"""A throw-away PostgreSQL on loopback, kept as a private broker is: gone with whoever started it, folder and all.

Installed programs are used, or Debian's packages unpacked into the cache. PostgreSQL refuses to run as root, who starts
it as `postgres` or `nobody`.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final, Self

from broker.installation import ensure_installation
from broker.kept import Kept
from broker.packages import POSTGRESQL
from broker.ports import LOOPBACK

START_SECONDS: Final = 90.0
OWNER: Final = "owner"
_KEEPER: Final = Path(__file__).with_name("postgres_keeper.py")


class PrivatePostgres:
    """A server with one role and a random password; it blocks while it starts (1 to 2 s) and stops (0.1 s)."""

    def __init__(self) -> None:
        self.host, self.port = LOOPBACK, 0
        self.password = secrets.token_urlsafe(18)
        self.folder = Path()
        self._kept: Kept | None = None

    def url(self, database: str = "postgres") -> str:
        """The URL of a database."""
        return f"postgresql://{OWNER}:{self.password}@{self.host}:{self.port}/{database}"

    def start(self) -> Self:
        """Starts it and waits until it takes connections.

        Raises:
            UnavailableError: there is no PostgreSQL to be had, or it does not start.
        """
        installation = ensure_installation(POSTGRESQL)
        plan = {
            "root": str(installation.root),
            "programs": str(installation.program.parent),
            "library_path": installation.library_path,
            "password": self.password,
        }
        self._kept = Kept([str(_KEEPER)], plan, code="E_DATABASE_START")
        facts = self._kept.start(seconds=START_SECONDS)
        self.port, self.folder = facts["port"], Path(facts["folder"])
        return self

    def restart(self) -> None:
        """Kills it and starts it again with the same data, at the same port.

        Raises:
            UnavailableError: it does not start again.
        """
        if self._kept is not None:
            self._kept.order("restart", seconds=START_SECONDS)

    def stop(self) -> None:
        """Ends it and removes its folder; doing it again changes nothing."""
        if self._kept is not None:
            self._kept.stop()
            self._kept = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
