"""A real Chromium for the session, in the event loop of the session, where tests/browser runs its tests."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser
from servers.missing import server_is_missing
from servers.own_chromium import own_chromium

from bridge.core.errors import UnavailableError


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The session's browser; each test opens a context of its own in it."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            browser = await stack.enter_async_context(own_chromium())
        except UnavailableError as error:
            server_is_missing(error)
        yield browser
