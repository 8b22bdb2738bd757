"""The sample documents are those of the unit tests: one set of documents that are right, for models and schemas."""

import sys
from pathlib import Path

import pytest
from servers.missing import server_is_missing
from servers.node_packages import NodeMissingError, find_node

TESTS = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(TESTS / "unit" / "core" / "messages"), str(TESTS / "forging")]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests with Node.js are skipped where it is missing, except in CI, where that is a failure."""
    if item.get_closest_marker("node") is None:
        return
    try:
        find_node()
    except NodeMissingError as error:
        server_is_missing(error)
