"""Tests in a real Chromium. All run in the session's event loop, which is the browser's."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from visits import Visit, visit

from broker import Access

HERE = Path(__file__).parent
sys.path.append(str(HERE.with_name("acceptance")))  # countries as its tests found and run them

from console_nodes import ConsoleNode, running_consoles, send_samples  # noqa: E402 - it needs the line above


class OpenVisit(Protocol):
    """Opens a window, with the options of `visits.visit`."""

    def __call__(self, origin: str, **options: object) -> Awaitable[Visit]: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The tests of this folder share the browser's event loop."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(loop_scope="session")
async def open_visit(chromium: Browser) -> AsyncIterator[OpenVisit]:
    """Opens windows, closes them after the test, and fails when one of them has noted a fault."""
    opened: list[Visit] = []

    async def open_one(origin: str, **options: object) -> Visit:
        opened.append(await visit(chromium, origin, **options))
        return opened[-1]

    yield open_one
    try:
        faults = [fault for each in opened for fault in await each.take_faults()]
    finally:
        for each in opened:
            await each.close()
    assert not faults


@pytest.fixture(scope="module")
def consoles(broker_node: Access, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, ConsoleNode]]:
    """Serbia and Austria with their consoles and a few alerts; for a module, as in tests/acceptance."""
    with running_consoles(tmp_path_factory.mktemp("consoles"), broker_node) as nodes:
        send_samples(nodes)
        yield nodes


@pytest.fixture
def serbia(consoles: Mapping[str, ConsoleNode]) -> ConsoleNode:
    return consoles["rs"]


@pytest.fixture
def austria(consoles: Mapping[str, ConsoleNode]) -> ConsoleNode:
    return consoles["at"]
