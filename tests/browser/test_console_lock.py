"""The lock in a browser: the page warns, goes, and what was being written comes back after signing in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from axe import axe
from conftest import OpenVisit
from playwright.async_api import Route
from small_console import PASSWORD, console_at, free_origin, people_in
from visits import Visit


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def origin(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """Where a console is with two accounts, whose time a test moves in the browser only."""
    address = free_origin()
    async with people_in(tmp_path_factory.mktemp("lock")) as people:
        await people.person("administrator", login="admin")
        await people.person("auditor", login="reader")
        async with console_at(address, people):
            yield address


async def signed_in(open_visit: OpenVisit, origin: str, **options: object) -> Visit:
    visit = await open_visit(origin, **options)
    await visit.page.clock.install()
    await visit.go("/sign-in?next=/accounts/reader")
    await sign_in(visit)
    await visit.page.wait_for_url("**/accounts/reader")
    return visit


async def sign_in(visit: Visit) -> None:
    await visit.page.get_by_label("Login").fill("admin")
    await visit.page.get_by_label("Password").fill(PASSWORD)
    await visit.page.get_by_role("button", name="Sign in").click()


async def test_what_was_being_written_comes_back_after_the_lock(open_visit: OpenVisit, origin: str) -> None:
    # given an administrator who began to change an account
    visit = await signed_in(open_visit, origin)
    page = visit.page
    await page.get_by_label("Operator").check()

    # when nobody is there any more, the page says so, and then is gone
    await page.clock.fast_forward("14:00")
    await page.get_by_role("alert").get_by_text("Nobody seems to be here").wait_for()
    await page.clock.fast_forward("02:00")
    await page.wait_for_url("**/sign-in?why=locked**")
    assert await page.get_by_text("A. B.").count() == 0

    # then signing in again leads to what was written, and on with it
    await sign_in(visit)
    await page.wait_for_url("**/kept")
    assert await axe(page) == []
    await page.get_by_role("button", name="Go on with it").click()
    await page.wait_for_url("**/accounts/reader**")
    assert await page.get_by_label("Operator").is_checked()


async def test_whoever_presses_a_key_stays(open_visit: OpenVisit, origin: str) -> None:
    visit = await signed_in(open_visit, origin)
    for _ in range(3):
        await visit.page.clock.fast_forward("14:00")
        await visit.page.keyboard.press("Shift")
    await visit.page.clock.fast_forward("00:05")
    assert visit.page.url.endswith("/accounts/reader")
    assert not await visit.page.get_by_text("Nobody seems to be here").is_visible()


async def test_signing_out_in_one_tab_leaves_the_others_even_before_the_node_has_heard_of_it(
    open_visit: OpenVisit, origin: str
) -> None:
    # given two tabs, and a node that is slow to end the session
    visit = await signed_in(open_visit, origin)
    other = await visit.page.context.new_page()
    await other.goto(f"{origin}/account")
    heard = asyncio.Event()

    async def wait_before_it(route: Route) -> None:
        await heard.wait()
        await route.continue_()

    await other.route("**/sign-out", wait_before_it)

    # when one of them signs out, the other leaves at once, and stays away
    await other.get_by_role("button", name="Sign out", exact=True).click(no_wait_after=True)
    await visit.page.wait_for_url("**/sign-in?why=ended")
    assert await visit.page.get_by_text("you signed out elsewhere").is_visible()
    assert await visit.page.get_by_text("A. B.").count() == 0
    heard.set()
    await other.wait_for_url("**/sign-in")

    # what asked for news while the session ended was refused, and that is no fault
    assert [fault for fault in await visit.take_faults() if "401" not in fault] == []
