"""Every page of the access table by day, by night and on a phone: axe finds nothing, no request leaves the node."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio
from axe import axe
from console_nodes import PASSWORD, ROLES, ConsoleNode, sign_in
from crawl import pages_to_see, reachable
from desk_steps import leave_traces, write_alert
from playwright.async_api import Browser
from visits import Visit, visit

from bridge.console.language import LANGUAGES, words_of

NAMES = [page.name for page in pages_to_see()]
SCREEN = {"width": 1440, "height": 900}
PHONE = {"width": 400, "height": 860}
LOCK = """fetch(document.getElementById("lock").getAttribute("action"),
  {method: "POST", body: new URLSearchParams(new FormData(document.getElementById("lock")))}).then(() => null)"""


@dataclass(frozen=True)
class Place:
    """Where a page is: in the window of somebody who may open it."""

    window: Visit
    path: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def windows(chromium: Browser, consoles: Mapping[str, ConsoleNode]) -> AsyncIterator[Mapping[str, Visit]]:
    """Austria's console in a window of each role, and of nobody."""
    opened = {login: await visit(chromium, consoles["at"].origin) for login in ("nobody", *ROLES)}
    await opened["nobody"].go("/")
    for login in ROLES:
        await sign_in(opened[login], login)
    await leave_traces(opened["officer"], opened["operator"])
    yield opened
    for window in opened.values():
        await window.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def places(windows: Mapping[str, Visit]) -> Mapping[str, Place]:
    """Each page by its name, found by following links."""
    found: dict[str, Place] = {}
    for window in windows.values():
        for name, path in (await reachable(window)).items():
            found.setdefault(name, Place(window, path))
        await window.take_faults()  # they are looked for page by page below
    return found


@pytest.mark.parametrize("name", NAMES)
async def test_a_page_is_for_everybody_everywhere(places: Mapping[str, Place], name: str) -> None:
    # given a page that somebody reaches by links, when it is opened, then nothing is wrong with it anywhere
    assert name in places, "no link leads there"
    window = places[name].window
    await window.page.set_viewport_size(SCREEN)
    await window.go(places[name].path)
    await nothing_is_wrong_with(window)


async def test_the_inbox_and_a_message_are_in_every_language(
    windows: Mapping[str, Visit], places: Mapping[str, Place]
) -> None:
    # given an officer on a phone
    window = windows["officer"]
    await window.page.set_viewport_size(PHONE)

    for language in LANGUAGES:
        await window.page.set_extra_http_headers({"Accept-Language": language.tag})
        for name, heading in (("inbox", "Inbox"), ("message", "Key facts")):
            # when a page is opened in a language, then its words are of that language, and nothing is too wide
            await window.go(places[name].path)
            assert await window.page.locator("html").get_attribute("lang") == language.tag
            words = words_of(language.tag).text(heading)
            await window.page.get_by_role("heading", name=words, exact=True).first.wait_for()
            assert await window.overflow() == 0, (language.tag, name)
    await window.page.set_extra_http_headers({})
    assert await window.take_faults() == []


async def test_what_is_typed_outlives_its_session(windows: Mapping[str, Visit]) -> None:
    # given an officer whose session locks while they look at what they wrote (tests of the lock have its other ways)
    window = windows["officer"]
    await window.page.set_viewport_size(SCREEN)
    await write_alert(window, "Typed before the session locked")
    await window.page.get_by_text("Draft saved").wait_for()  # then nothing is on its way by itself
    await window.page.evaluate(LOCK)

    # when the draft is saved, and the officer has signed in again
    await window.page.get_by_role("button", name="Save", exact=True).last.click()
    await window.page.locator("#password").wait_for()
    if await window.page.locator("#login").is_editable():
        await window.page.locator("#login").fill("officer")
    await window.page.locator("#password").fill(PASSWORD)
    await window.page.locator("form[action$='/sign-in'] button").click()

    # then what was typed is there, and goes on
    await window.page.get_by_role("heading", name="What you had written is kept").wait_for()
    await nothing_is_wrong_with(window)
    await window.page.set_viewport_size(SCREEN)
    await window.page.get_by_role("button", name="Go on with it").click()
    await window.page.wait_for_url("**/compose/*")
    assert await window.page.locator("[name='body.title']").input_value() == "Typed before the session locked"


async def nothing_is_wrong_with(window: Visit) -> None:
    """axe finds nothing by day, by night and on a phone, where nothing is too wide; nothing else is noted."""
    page = window.page
    await page.emulate_media(color_scheme="light")
    assert await axe(page) == []
    await page.emulate_media(color_scheme="dark")
    assert await axe(page) == []
    await page.set_viewport_size(PHONE)
    assert await window.overflow() == 0
    assert await axe(page) == []
    assert await window.take_faults() == []
