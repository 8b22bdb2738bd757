"""The guide's three paths from nothing to a delivered message, as they stand there, counted in commands and seconds."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from servers.missing import server_is_missing
from servers.node_packages import NodeMissingError, ensure_node_modules, find_node

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "integrate" / "README.md").read_text("utf-8")
STAYS = "# stays"
READY_SECONDS, COMMAND_SECONDS, PROMISED_SECONDS = 180, 120, 15 * 60

pytestmark = pytest.mark.broker


@dataclass
class Terminal:
    """A folder of somebody's own beside the clone, and what runs in it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    staying: list[subprocess.Popen[bytes]] = field(default_factory=list)
    commands: int = 0

    def run(self, block: str) -> str:
        """The lines of a block, in one shell; one that stays is started beside it and waited for."""
        lines = []
        for line in block.strip().splitlines():
            self.commands += 1
            if line.endswith(STAYS):
                self._stay(line.removesuffix(STAYS))
            else:
                lines.append(line)
        done = subprocess.run(  # noqa: S603 - our own page
            ["bash", "-euo", "pipefail", "-c", "\n".join(lines)],  # noqa: S607 - of the system
            cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _stay(self, line: str) -> None:
        found = re.search(r"--ready-file (\S+)", line)
        assert found is not None
        with (self.folder / "stays.log").open("ab") as log:
            started = subprocess.Popen(  # noqa: S603 - our own page
                ["bash", "-c", f"exec {line}"],  # noqa: S607 - of the system
                cwd=self.folder, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.staying.append(started)
        deadline = time.monotonic() + READY_SECONDS
        while not (self.folder / found[1]).exists():
            assert started.poll() is None, (self.folder / "stays.log").read_text("utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.05)


def blocks(heading: str, kind: str) -> list[str]:
    """The blocks of a kind under a heading."""
    part = PAGE.partition(f"### {heading}\n")[2].partition("\n## ")[0].partition("\n### ")[0]
    found: list[str] = re.findall(rf"^```{kind}\n(.*?)^```", part, re.MULTILINE | re.DOTALL)
    assert found
    return found


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """An empty folder that has the clone's client and commands; whatever stays is ended."""
    try:
        node = find_node()
    except NodeMissingError as error:
        server_is_missing(error)
        raise
    folder = tmp_path_factory.mktemp("guide")
    (folder / "clients").symlink_to(ROOT / "clients")
    # The packages are there by now; the page's own `npm ci` would fetch them once more.
    ensure_node_modules(ROOT / "clients" / "node")
    (folder / "bin").mkdir()
    (folder / "bin" / "npm").write_text("#!/bin/sh\nexit 0\n")
    (folder / "bin" / "npm").chmod(0o755)
    path = (folder / "bin", ROOT / ".venv" / "bin", node.program.parent, os.environ["PATH"])
    made = Terminal(folder, os.environ | {"PATH": ":".join(map(str, path))})
    yield made
    for process in made.staying:
        process.terminate()
    for process in made.staying:
        process.wait(READY_SECONDS)


def counted(name: str, terminal: Terminal, began: float, before: int) -> None:
    seconds = time.monotonic() - began
    assert seconds < PROMISED_SECONDS
    print(f"guide: {name}: {terminal.commands - before} commands, {seconds:.1f} s")  # noqa: T201 - a measure, with -s


def test_in_python_and_then_by_http(terminal: Terminal) -> None:
    # given nothing
    began, before = time.monotonic(), terminal.commands
    stays, program = blocks("In Python", "sh")
    terminal.run(stays)
    (source,) = blocks("In Python", "python")
    (terminal.folder / "first.py").write_text(source, "utf-8")

    # then the first message is delivered
    said = terminal.run(program)
    assert "'delivered'" in said
    counted("Python", terminal, began, before)

    # and by HTTP beside it
    began, before = time.monotonic(), terminal.commands
    (requests,) = blocks("By HTTP", "sh")
    state = json.loads(terminal.run(requests))
    assert "delivered" in {one["state"] for one in state["recipients"]}
    counted("HTTP, after the sandbox", terminal, began, before)


def test_in_node_with_keys_of_ones_own(terminal: Terminal) -> None:
    began, before = time.monotonic(), terminal.commands
    (commands,) = blocks("In Node.js", "sh")
    said = [json.loads(line) for line in terminal.run(commands).splitlines() if line.startswith("{")]
    assert "delivered" in [one["control"].get("state") for one in said if one.get("control")]
    counted("Node.js", terminal, began, before)
