"""What every test may ask for: real servers, and the marks of the tests that do (see `servers`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

pytest_plugins = [
    "servers.broker_fixtures",
    "servers.chromium_fixtures",
    "servers.machine_alone",
    "servers.postgres_fixtures",
    "servers.softhsm_fixtures",
]

MARK_OF_FIXTURE = {"broker_node": "broker", "chromium": "browser", "postgres_server": "postgres", "softhsm": "token"}


@pytest.hookimpl(tryfirst=True)  # before `-m` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever uses a server carries its mark, so that `-m 'not broker'` means it."""
    for item in items:
        for fixture, mark in MARK_OF_FIXTURE.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    """Commands and services configure logging for their process, which is the tests' process here."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.reset_defaults()  # a fixture of longer life may have run a command before
    yield
    root.handlers[:], root.level = handlers, level
