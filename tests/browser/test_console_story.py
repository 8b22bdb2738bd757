"""The two minutes that the console is for: an alert is written in one country, released by a second person, arrives in
another while its officer looks at the inbox, is acknowledged there, and receipt and answer are back where it began.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from conftest import OpenVisit
from console_nodes import ConsoleNode, sign_in
from desk_steps import acknowledge, entry, release, submit_for_release, write_alert
from playwright.async_api import Locator, expect
from visits import Visit

NEWS_SHOWN = """new Promise((shown) => {
  const news = document.querySelector("#live .news");
  const look = () => news.hidden || shown(Date.now());
  new MutationObserver(look).observe(news, {attributes: true});
  look();
})"""


async def signed_in(open_visit: OpenVisit, node: ConsoleNode, login: str, **options: object) -> Visit:
    visit = await open_visit(node.origin, **options)
    await sign_in(visit, login)
    return visit


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
async def test_an_alert_is_written_released_received_and_answered(
    open_visit: OpenVisit, serbia: ConsoleNode, austria: ConsoleNode, *, javascript: bool
) -> None:
    # given two officers and an approver in two countries
    title = f"White minibus, {'by script' if javascript else 'by hand'}"
    author = await signed_in(open_visit, serbia, "officer", javascript=javascript)
    approver = await signed_in(open_visit, serbia, "approver", javascript=javascript)
    reader = await signed_in(open_visit, austria, "officer", javascript=javascript)

    # when one writes an alert and the other releases it
    await write_alert(author, title)
    waiting = await submit_for_release(author)
    await release(approver, waiting)

    # then it is in the inbox of the country where the route ends, and its reader acknowledges it
    await until_there(reader, "/inbox", title)
    await entry(reader, title).first.click()
    await acknowledge(reader, "accepted", "The patrol at Nickelsdorf knows.")
    await expect(reader.page.get_by_text("Answers from here")).to_be_visible()

    # and its author sees the receipt and the answer, and that the country whose node is away has neither
    await until_there(author, "/sent", title)
    await entry(author, title).first.click()
    rows = author.page.locator("tr")
    await until_says(author, rows.filter(has_text="at.ncp"), "Acknowledged")
    await expect(rows.filter(has_text="at.ncp")).to_contain_text("Accepted")
    await expect(rows.filter(has_text="hu.ncp")).to_contain_text("Sent")
    await expect(author.page.get_by_text("The patrol at Nickelsdorf knows.")).to_be_visible()


@pytest.mark.alone
async def test_an_alert_shows_within_a_second_of_its_commit(
    open_visit: OpenVisit, consoles: Mapping[str, ConsoleNode]
) -> None:
    # given an officer who looks at the inbox, and then at another tab
    serbia, austria = consoles["rs"], consoles["at"]
    reader = await signed_in(open_visit, austria, "officer")
    board_before = await reader.page.locator("#board").inner_text()
    seen = asyncio.ensure_future(reader.page.evaluate(NEWS_SHOWN))
    other_tab = await reader.page.context.new_page()
    await other_tab.bring_to_front()

    # when an alert arrives
    sent = await asyncio.to_thread(serbia.country.submit, "01-rs-at-construction-recruitment-agency.json")
    shown_at = await asyncio.wait_for(seen, 60) / 1000

    # then the page said so within a second, in the title too, and the list has not moved under the reader
    (item,) = await asyncio.to_thread(austria.country.received, sent["id"])
    committed = datetime.fromisoformat(item["received_at"]).timestamp()
    assert shown_at - committed < timedelta(seconds=1).total_seconds()
    assert (await reader.page.title()).startswith("(1) ")
    assert await reader.page.locator("#board").inner_text() == board_before

    # and one click shows it
    await reader.page.locator("#live .news").click()
    await expect(entry(reader, "Vrbovanje za rad").first).to_be_visible()


async def test_nobody_releases_what_they_wrote(open_visit: OpenVisit, serbia: ConsoleNode) -> None:
    # given an officer who has asked for the release of an alert
    author = await signed_in(open_visit, serbia, "officer")
    await write_alert(author, "To be released by somebody else")
    waiting = await submit_for_release(author)

    # then its page offers them no release, and it waits for an approver
    await expect(author.page.get_by_text("Another approver of this contact point releases it.")).to_be_visible()
    assert await author.page.get_by_role("button", name="Release and send").count() == 0
    approver = await signed_in(open_visit, serbia, "approver")
    await approver.go("/release")
    await expect(entry(approver, "To be released by somebody else")).to_be_visible()

    # and the approver can send it back with a word, which the author finds
    await approver.go(waiting)
    await approver.page.locator("#note").fill("Which minibus?")
    await approver.page.get_by_role("button", name="Return to its author").click()
    await approver.page.wait_for_url("**/release?**")
    await author.go(waiting)
    await expect(author.page.get_by_text("Which minibus?")).to_be_visible()


async def test_an_operator_verifies_again_what_was_refused_and_drops_it(
    open_visit: OpenVisit, austria: ConsoleNode
) -> None:
    # given something that was refused, and an operator, who sees why but not what it says
    operator = await signed_in(open_visit, austria, "operator")
    page = operator.page
    await operator.go("/operations/quarantine")
    await page.get_by_role("link", name="E_JSON").click()
    await expect(page.get_by_text("no message at all")).to_have_count(0)

    # when it is to be verified again, then a count comes first, and then what became of it
    await page.get_by_role("checkbox").first.check()
    await page.get_by_role("button", name="Verify again").click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("1")
    await page.get_by_role("button", name="Verify again").click()
    await expect(page.get_by_role("status").filter(has_text="refused again")).to_be_visible()
    await expect(page.get_by_text("verified again 1 time")).to_be_visible()

    # when it is dropped, then a reason is asked for, and it is gone
    await page.get_by_role("checkbox").first.check()
    await page.get_by_role("button", name="Drop for good").click()
    await page.locator("#why").fill("Sent by the tests")
    await page.get_by_role("button", name="Drop for good").click()
    await expect(page.get_by_text("Nothing with this reason is in quarantine.")).to_be_visible()


async def until_there(visit: Visit, path: str, title: str) -> None:
    """Loads a page again until a message is listed there."""
    async with asyncio.timeout(60):
        await visit.go(path)
        while not await entry(visit, title).count():
            await asyncio.sleep(0.2)
            await visit.go(path)


async def until_says(visit: Visit, place: Locator, text: str) -> None:
    """Loads the page again until a place on it says something."""
    async with asyncio.timeout(60):
        while text not in await place.inner_text():
            await asyncio.sleep(0.2)
            await visit.page.reload()
