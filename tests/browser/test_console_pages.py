"""Every page of the access table by day, by night and on a phone: axe finds nothing, no request leaves the node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio
from axe import axe
from console_nodes import ROLES, ConsoleNode, sign_in
from crawl import pages_to_see, reachable
from playwright.async_api import Browser
from visits import Visit, visit

NAMES = [page.name for page in pages_to_see()]
PHONE = {"width": 400, "height": 860}


@dataclass(frozen=True)
class Place:
    """Where a page is: in the window of somebody who may open it."""

    window: Visit
    path: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def places(chromium: Browser, consoles: Mapping[str, ConsoleNode]) -> AsyncIterator[Mapping[str, Place]]:
    """Each page by its name, found by following links as each of the roles in Austria, and as nobody."""
    found: dict[str, Place] = {}
    windows = []
    for login in (None, *ROLES):
        windows.append(window := await visit(chromium, consoles["at"].origin))
        if login is None:
            await window.go("/")
        else:
            await sign_in(window, login)
        for name, path in (await reachable(window)).items():
            found.setdefault(name, Place(window, path))
        await window.take_faults()  # they are looked for page by page below
    yield found
    for window in windows:
        await window.close()


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_is_for_everybody_everywhere(places: Mapping[str, Place], name: str) -> None:
    # given a page that somebody reaches by links, on a wide screen by day
    assert name in places, "no link leads there"
    window, page = places[name].window, places[name].window.page
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1440, "height": 900})
    await window.go(places[name].path)

    # then axe finds nothing, by day, by night, and on a phone, where nothing is wider than the screen
    assert await axe(page) == []
    await page.emulate_media(color_scheme="dark")
    assert await axe(page) == []
    await page.set_viewport_size(PHONE)
    assert await window.overflow() == 0
    assert await axe(page) == []

    # and nothing was wrong with the page itself: no violated policy, no request elsewhere, no error
    assert await window.take_faults() == []
