"""The keeper of a private PostgreSQL: makes a cluster in its folder, starts the server, waits until it is ready.

Nothing is synced to disk: what is in it is thrown away. A commit is in the kernel's hands all the same, so that a
server that is killed and started again has lost nothing.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from broker.keeper import Facts, Lifeline, Plan, StartError, end_children, keep, launch, wait_until
from broker.ports import LOOPBACK, free_ports

ACCOUNTS: Final = ("postgres", "nobody")  # root's choice
INIT_SECONDS: Final = 60.0
READY_SECONDS: Final = 60.0
READY_LINE: Final = 7  # of postmaster.pid (PostgreSQL: utils/pidfile.h, counted from 0)


class Postgres:
    """The server in its folder; the plan holds `root`, `programs` below it, `library_path` and `password`."""

    def __init__(self, folder: Path, plan: Plan, lifeline: Lifeline) -> None:
        self._folder, self._plan, self._lifeline = folder, plan, lifeline
        self._owner = _unprivileged()
        self._data = folder / "data"
        self._port = free_ports(1)[0]
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> Facts:
        """As `Server.start`."""
        password_file = self._folder / "password"
        password_file.write_text(self._plan["password"])
        if self._owner is not None:
            os.chown(self._folder, *self._owner)
            os.chown(password_file, *self._owner)
        options = ["--username=owner", f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"]
        log = self._folder / "initdb.log"
        initdb = self._launch("initdb", [f"--pgdata={self._data}", "--locale=C.UTF-8", "--no-sync", *options], log)
        wait_until(
            lambda: initdb.poll() == 0,
            process=initdb,
            lifeline=self._lifeline,
            seconds=INIT_SECONDS,
            log=log,
            name="initdb",
        )
        return self.restart()

    def restart(self) -> Facts:
        """As `Server.restart`."""
        if self._server is not None:
            self._server.kill()
            self._server.wait()
            end_children()  # its backends outlive it for a moment, and no other starts while one has its shared memory
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self._port),
            "unix_socket_directories": "",
            "fsync": "off",  # killed and started again it still has what was committed; only the machine must not die
            "full_page_writes": "off",
            "jit": "off",  # its library is not fetched
            "max_connections": "100",
        }
        arguments = ["-D", str(self._data), *(f"--{name}={value}" for name, value in settings.items())]
        log = self._folder / "server.log"
        self._server = self._launch("postgres", arguments, log)
        wait_until(
            self._is_ready,
            process=self._server,
            lifeline=self._lifeline,
            seconds=READY_SECONDS,
            log=log,
            name="PostgreSQL",
        )
        return {"port": self._port, "pid": self._server.pid, "folder": str(self._folder)}

    def _is_ready(self) -> bool:
        """By the server's own file; that of a killed one stays, and says ready still."""
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        is_its_own = self._server is not None and lines[:1] == [str(self._server.pid)]
        return is_its_own and len(lines) > READY_LINE and lines[READY_LINE].strip() == "ready"

    def _launch(self, program: str, arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
        command: list[str | Path] = [self._reachable_programs() / program, *arguments]
        environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC", "HOME": str(self._folder)}
        if self._plan["library_path"]:
            environment["LD_LIBRARY_PATH"] = self._plan["library_path"]
        return launch(command, folder=self._folder, environment=environment, log=log, owner=self._owner)

    def _reachable_programs(self) -> Path:
        """The folder of the programs, copied to where the unprivileged user can reach it if need be."""
        root, below = Path(self._plan["root"]), Path(self._plan["programs"])
        programs = root / below
        if self._owner is None or all(folder.stat().st_mode & 0o001 for folder in programs.parents):
            return programs
        copied = self._folder / "programs"
        if not copied.exists():
            shutil.copytree(root, copied, symlinks=True)
            self._plan["library_path"] = self._plan["library_path"].replace(str(root), str(copied))
        return copied / below


def _unprivileged() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    for name in ACCOUNTS:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return account.pw_uid, account.pw_gid
    message = f"PostgreSQL does not run as root, and there is none of the users {', '.join(ACCOUNTS)}"
    raise StartError(message)


if __name__ == "__main__":
    sys.exit(keep(Postgres, prefix="ncp-bridge-postgres-"))
