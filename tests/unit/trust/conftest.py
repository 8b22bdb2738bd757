"""A founded network for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from trust_network import FOUNDED, SetClock, World, member

from bridge.adapters.trust import TufRepository


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A network of rs.ncp and at.ncp, version 1, founded at `FOUNDED`; the clock stands there."""
    repository = TufRepository(tmp_path / "network")
    repository.found("see", ["RS", "AT"], [member("rs.ncp"), member("at.ncp")], at=FOUNDED)
    return World(tmp_path, repository, SetClock(FOUNDED))
