"""docs/integrate/contract.md: its programs run as they stand there, on the contract that it is about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from servers.node_packages import ensure_node_modules, find_node

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "integrate" / "contract.md").read_text("utf-8")
NODE = ROOT / "tests" / "contract" / "node"


def program(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(text)


def test_the_python_program_finds_what_it_should() -> None:
    subprocess.run([sys.executable, "-c", program("python")], cwd=ROOT, check=True)  # noqa: S603 - of our own page


@pytest.mark.node
def test_the_javascript_program_finds_what_it_should(tmp_path: Path) -> None:
    ensure_node_modules(NODE)
    (tmp_path / "schemas").symlink_to(ROOT / "schemas")
    (tmp_path / "node_modules").symlink_to(NODE / "node_modules")
    done = subprocess.run(  # noqa: S603 - of our own page
        [find_node().program, "--input-type=module"],
        input=program("js"), cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    first, second = done.stdout.splitlines()
    assert first == "true"
    assert second.startswith("false must have required property")


def test_the_commands_run(tmp_path: Path) -> None:
    commands = program("sh").splitlines()
    assert len(commands) == 2
    for command in commands:
        _, script, *arguments = command.split()
        given = [str(tmp_path / each) if each.endswith(".zip") else each for each in arguments]
        subprocess.run([sys.executable, script, *given], cwd=ROOT, check=True)  # noqa: S603 - of our own page


def test_every_file_that_it_names_is_there() -> None:
    for name in re.findall(r"^\| `([^`<]+)`", PAGE, re.MULTILINE):
        assert (ROOT / "schemas" / name.rstrip("/")).exists(), name
