"""Keys for the oracle tests, and when the tests with Node.js are skipped."""

from __future__ import annotations

import pytest
from sample_messages import RECIPIENTS, SENDER, KeyPair
from servers.missing import server_is_missing
from servers.node_packages import NodeMissingError, find_node


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests with Node.js are skipped where it is missing, except in CI, where that is a failure."""
    if item.get_closest_marker("node") is None:
        return
    try:
        find_node()
    except NodeMissingError as error:
        server_is_missing(error)


@pytest.fixture(scope="session")
def signing_key() -> KeyPair:
    return KeyPair(f"{SENDER}#sig-2026a")


@pytest.fixture(scope="session")
def sealing_keys() -> list[KeyPair]:
    return [KeyPair(f"{recipient}#enc-2026a") for recipient in RECIPIENTS]
