"""A RabbitMQ process of our own and what a test does to it: killed, paused, let go on, started again."""

from __future__ import annotations

import os
import secrets
import signal
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from broker.access import Access
from broker.administrator import ADMIN
from broker.ports import LOOPBACK
from broker.tls import TlsFiles

START_SECONDS: Final = 180.0
PASSWORD_BYTES: Final = 18


class OwnBroker(Access):
    """A broker's process on loopback, its administrator with a random password; ports and pid are 0 until it runs.

    Attributes:
        management_port: of the management API.
        pid: of the broker's process; another one after each restart.
        folder: what it has on disk; gone with it.
        name: of its Erlang node.
        tls_plan: for its keeper, where accounts sign in by certificate.
    """

    def __init__(self, password: str | None = None, *, tls: TlsFiles | None = None) -> None:
        self.host, self.port = LOOPBACK, 0
        self.admin_user, self.admin_password = ADMIN, password or secrets.token_urlsafe(PASSWORD_BYTES)
        self.by_certificate, self.tls_plan = tls is not None, tls.as_plan() if tls is not None else None
        self.management_port, self.pid, self.folder, self.name = 0, 0, Path(), ""

    @property
    def management_url(self) -> str:
        """As `Access.management_url`."""
        return f"http://{self.admin_user}:{self.admin_password}@{self.host}:{self.management_port}"

    @property
    def alive(self) -> bool:
        """Whether the broker's process is there, be it paused."""
        try:
            state = Path(f"/proc/{self.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return False
        return state != "Z"

    def kill(self) -> None:
        """Kills the broker as a power cut would; what it had on disk stays for `restart`."""
        os.kill(self.pid, signal.SIGKILL)

    def pause(self) -> None:
        """Stops the broker's process from running: it is silent, its connections stay."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Lets a paused broker go on."""
        os.kill(self.pid, signal.SIGCONT)

    @abstractmethod
    def restart(self) -> None:
        """Boots the broker again on its ports and data, killed before or not; blocks.

        Raises:
            UnavailableError: it does not start, or it was never started.
        """

    def learn(self, facts: Mapping[str, Any]) -> None:
        """Takes over what its keeper tells of it."""
        self.port, self.management_port = facts["amqp"], facts["management"]
        self.pid, self.folder, self.name = facts["pid"], Path(facts["folder"]), facts["name"]
