"""A few countries for the acceptance tests, founded and run by the product's own commands, as an operator would."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bridge.cli.main import main_status
from broker import Access

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "examples" / "alerts"
OFFSET_CLOCK_NODE = Path(__file__).with_name("offset_clock_node.py")
PATIENCE_SECONDS = 30.0

Answer = TypeVar("Answer")

NETWORK = """
network = "three"
countries = ["RS", "HU", "AT"]

[[contact_points]]
id = "rs.ncp"
name = "National contact point, Serbia"
national_desk = true

[[contact_points]]
id = "hu.ncp"
name = "National contact point, Hungary"
national_desk = true

[[contact_points]]
id = "hu.border-police"
name = "Border police, Hungary"
[contact_points.remit]
crossings = ["Röszke"]

[[contact_points]]
id = "at.ncp"
name = "National contact point, Austria"
national_desk = true
"""


@dataclass(frozen=True)
class Said:
    """What a command answered: its exit status, what it printed, and what it told on the side."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        (line,) = self.out.splitlines()
        answer: dict[str, Any] = json.loads(line)
        return answer


def say(*arguments: object) -> Said:
    """Runs a command of `ncp-bridge` in this process; its input is empty and no terminal."""
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO())
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main_status([str(argument) for argument in arguments])
    finally:
        sys.stdin = before
    return Said(status, out.getvalue(), err.getvalue())


def ask(*arguments: object) -> dict[str, Any]:
    """The JSON answer of a command that is expected to succeed."""
    said = say(*arguments, "--json")
    assert said.status == 0, said
    return said.json


@dataclass
class Country:
    """One country's node; `process` runs its services."""

    config: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def folder(self) -> Path:
        """Where everything of this node is."""
        return self.config.parent

    @property
    def log(self) -> Path:
        """What its services logged."""
        return self.folder / "services.log"

    def ask(self, *arguments: object) -> dict[str, Any]:
        """The JSON answer of a command on this node that is expected to succeed."""
        return ask(*arguments, "--config", self.config)

    def say(self, *arguments: object) -> Said:
        """Runs a command on this node, for people."""
        return say(*arguments, "--config", self.config)

    def refuse(self, *arguments: object) -> tuple[int, dict[str, Any]]:
        """Status and error object of a command on this node that is expected to fail."""
        said = say(*arguments, "--config", self.config, "--json")
        return said.status, said.json["error"]

    def apply_topology(self, administrator_url: str) -> dict[str, Any]:
        """`topology apply`, with the administrator's address for this moment only."""
        file = self.folder / "secrets" / "broker-admin.url"
        file.touch(mode=0o600)
        file.write_text(administrator_url + "\n", "utf-8")
        try:
            return self.ask("topology", "apply")
        finally:
            file.unlink()

    def submit(self, file: Path | str, *options: object) -> dict[str, Any]:
        """Submits one of the sample alerts, or another file."""
        return self.ask("alert", "submit", ALERTS / file, "--yes", *options)

    def inbox(self, message_id: str) -> list[dict[str, Any]]:
        """The inbox's rows of one message."""
        return [item for item in self.ask("inbox", "list")["items"] if item["id"] == message_id]

    def received(self, message_id: str) -> list[dict[str, Any]]:
        """The same, waited for."""
        return eventually(lambda: self.inbox(message_id))

    def recipient(self, message_id: str, contact_point: str) -> dict[str, Any]:
        """One recipient's line of `outbox show`."""
        recipients = self.ask("outbox", "show", message_id)["recipients"]
        (line,) = (recipient for recipient in recipients if recipient["id"] == contact_point)
        found: dict[str, Any] = line
        return found

    def reached(self, message_id: str, contact_point: str, member: str) -> dict[str, Any]:
        """The same, as soon as `member` has a value."""

        def line() -> dict[str, Any] | None:
            found = self.recipient(message_id, contact_point)
            return found if found[member] is not None else None

        return eventually(line)

    def start(self, *roles: str, days_ahead: float = 0) -> None:
        """Starts services of the node, all or some, in a process of their own; `wait_ready` waits for them.

        With days ahead the process's clock is ahead; days should be the same for every process that it meets.
        """
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        program = [str(OFFSET_CLOCK_NODE)] if days_ahead else ["-m", "bridge"]
        command = [sys.executable, *program, "run", *roles, "--config", str(self.config), "--ready-file", str(ready)]
        environment = os.environ | {"NCP_TEST_DAYS_AHEAD": str(days_ahead), "PYTHONPATH": str(ROOT)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_ready(self) -> None:
        """Until every service is ready."""
        process = self.process
        assert process is not None

        def ready() -> bool:
            assert process.poll() is None, self.log.read_text("utf-8")
            return (self.folder / "ready").exists()

        eventually(ready)

    def stop(self) -> int:
        """Asks the services to drain; their exit status."""
        process, self.process = self.process, None
        assert process is not None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def found_country(
    folder: Path, country: str, *, broker: Access, vhost: str, network: str = NETWORK, options: Sequence[object] = ()
) -> Country:
    """`network init` for the first country of a folder, then `node init`; the topology is still to be applied."""
    repository, node = folder / "network", folder / country.lower()
    if not repository.exists():
        file = folder / "network.toml"
        file.write_text(network, "utf-8")
        ask("network", "init", repository, "--config", file)
    place = ("--broker-host", broker.host, "--broker-port", broker.port, "--vhost", vhost)
    founded = ask("node", "init", node, "--country", country, "--network", repository, *place, *options)
    return Country(Path(founded["config"]))


def eventually(look: Callable[[], Answer], *, seconds: float = PATIENCE_SECONDS) -> Answer:
    """What `look` finds, as soon as it is something."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"still {found!r} after {seconds:.0f} s"
        time.sleep(0.1)


@contextlib.contextmanager
def running(countries: Sequence[Country]) -> Iterator[None]:
    """All services run inside, and have ended afterwards."""
    try:
        for country in countries:
            country.start()
        for country in countries:
            country.wait_ready()
        yield
    finally:
        for country in countries:
            if country.process is not None and country.process.poll() is None:
                country.process.send_signal(signal.SIGTERM)
        for country in countries:
            if country.process is not None:
                country.stop()
