"""Two countries with one contact point each are enough here; quorum queues cost time."""

from __future__ import annotations

import pytest


@pytest.fixture
def vhost_countries() -> dict[str, list[str]]:
    """As the fixture of this name for all tests, but smaller."""
    return {"rs": ["rs.ncp"], "at": ["at.ncp"]}
