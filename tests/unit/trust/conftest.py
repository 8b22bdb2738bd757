"""A founded network for each test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from trust_network import FOUNDED, Run, SetClock, World, contact_point, found

from bridge.cli.main import main_status


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A network of rs.ncp and at.ncp, version 1, founded at `FOUNDED`; the clock stands there."""
    repository = found(tmp_path / "network", contact_point("rs.ncp"), contact_point("at.ncp"))
    return World(tmp_path, repository, SetClock(FOUNDED))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with `--json`; answers its status and the one object on stdout."""

    def command(*arguments: object) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        status = main_status([*(str(argument) for argument in arguments), "--json"])
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return status, answer

    return command
