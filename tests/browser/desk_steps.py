"""What duty officers and approvers do at a console, in steps: as a person would, by labels, buttons and links."""

from __future__ import annotations

import re

from playwright.async_api import Locator
from visits import Visit


def entry(visit: Visit, title: str) -> Locator:
    """The link to a message in the inbox or a list."""
    return visit.page.get_by_role("link", name=re.compile(re.escape(title)))


async def write_alert(visit: Visit, title: str) -> None:
    """Fills in a new alert on the road from Serbia over Hungary to Austria, expected within days."""
    page = visit.page
    await visit.go("/compose")
    await page.locator("[name='do'][value='add:body.legs']").click()
    await page.locator("[name='body.legs[1].from.country']").wait_for()
    await _fill(visit, "body.title", title)
    await _fill(visit, "body.request", "Look for the minibus at the crossing, and tell us whether it came.")
    for name, code in (
        ("urgency", "expected"),
        ("body.severity", "severe"),
        ("body.certainty", "likely"),
        ("body.exploitation", "forced_labour_or_services"),
        ("body.acts", "transportation"),
        ("body.means", "fraud"),
    ):
        await page.locator(f"[name='{name}'][value='{code}']").check()
    await page.locator("[name='body.labour_sector']").first.select_option("F")
    for name, code in (
        ("body.legs[0].from.country", "RS"),
        ("body.legs[0].to.country", "HU"),
        ("body.legs[1].from.country", "HU"),
        ("body.legs[1].to.country", "AT"),
    ):
        await page.locator(f"[name='{name}']").select_option(code)
    await _fill(visit, "body.legs[0].from.place", "Beograd")
    await _fill(visit, "body.legs[1].to.place", "Wien")


async def submit_for_release(visit: Visit) -> str:
    """Asks for the release of the alert that is open; the address where it waits."""
    await visit.page.get_by_role("button", name="Submit for release").click()
    await visit.page.wait_for_url("**/release/**")
    return visit.page.url.removeprefix(visit.origin).partition("?")[0]


async def release(visit: Visit, address: str) -> None:
    """Releases what waits there, as the person of this window."""
    await visit.go(address)
    await visit.page.get_by_role("button", name="Release and send").click()
    await visit.page.get_by_role("heading", name="Released").wait_for()


async def acknowledge(visit: Visit, level: str, note: str) -> None:
    """Answers the message that is open."""
    await visit.page.locator(f"#level-{level}").check()
    await visit.page.locator("#note").fill(note)
    await visit.page.get_by_role("button", name="Send the acknowledgement").click()


async def leave_traces(officer: Visit, operator: Visit) -> None:
    """A draft, an alert that waits for its release, a hand-over and a test of a peer: what some pages need to exist.

    The operator's window is left on the page of the test, to which no link leads.
    """
    await write_alert(officer, "A draft")
    await officer.page.get_by_role("button", name="Save", exact=True).last.click()
    await officer.page.wait_for_url("**/compose/*")
    await write_alert(officer, "It waits for a second person")
    await submit_for_release(officer)
    await officer.go("/shift")
    await officer.page.get_by_role("button", name="Hand over what is open").click()
    await (
        officer.page.get_by_role("link", name="Whoever comes").or_(officer.page.get_by_text("Not yet")).first.wait_for()
    )
    await operator.go("/operations")
    await operator.page.get_by_role("button", name="Test").first.click()
    await operator.page.wait_for_url("**/operations/tests/*")


async def _fill(visit: Visit, name: str, text: str) -> None:
    await visit.page.locator(f"[name='{name}']").fill(text)
