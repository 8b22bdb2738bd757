"""A founded network for each test."""

from __future__ import annotations

from pathlib import Path

import pytest
from trust_network import FOUNDED, SetClock, World, contact_point, found


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A network of rs.ncp and at.ncp, version 1, founded at `FOUNDED`; the clock stands there."""
    repository = found(tmp_path / "network", contact_point("rs.ncp"), contact_point("at.ncp"))
    return World(tmp_path, repository, SetClock(FOUNDED))
