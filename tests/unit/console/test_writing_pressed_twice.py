"""Buttons of the writing form that are pressed twice, too late or beside another request of the same window."""

from __future__ import annotations

import re

from test_writing_pages import LEAST, begun
from writing_world import Desk, Officer
from writing_world import desk as desk  # noqa: PLC0414 - a fixture

from bridge.ports.store.drafts import WRITING

REASON = {"reason": "The approver cannot be reached by telephone."}


async def test_an_emergency_pressed_twice_sends_once_and_says_that_it_left(desk: Desk) -> None:
    # given a form that was saved before, in another window
    ana = await begun(desk)
    await ana.send(do="save", **LEAST)
    form = ana.fields()

    # when
    await ana.send(fields=form, do="emergency", **REASON)
    answer = await ana.send(fields=form, do="emergency", **REASON)

    # then
    assert answer.status_code == 200
    assert "It left without a second person" in ana.page
    assert 'value="fork"' not in ana.page
    assert len(await desk.node.new_rows()) == 1


async def test_a_submission_pressed_twice_says_that_it_is_submitted(desk: Desk) -> None:
    ana = await begun(desk)
    form = ana.fields()
    await ana.send(fields=form, do="submit", **LEAST)
    answer = await ana.send(fields=form, do="submit", **LEAST)

    assert answer.status_code == 200
    assert "It is not sent yet" in ana.page


async def test_what_differs_from_what_was_submitted_is_kept(desk: Desk) -> None:
    ana = await begun(desk)
    form = ana.fields()
    await ana.send(fields=form, do="submit", **LEAST)
    answer = await ana.send(fields=form, do="submit", **LEAST | {"body__title": "More of it"})

    assert answer.status_code == 409
    assert ("body.title", "More of it") in ana.fields()


async def test_what_differs_from_what_was_sent_is_kept(desk: Desk) -> None:
    ana = await begun(desk)
    form = ana.fields()
    await ana.send(fields=form, do="emergency", **LEAST, **REASON)
    answer = await ana.send(fields=form, do="emergency", **LEAST | {"body__title": "More of it"}, **REASON)

    assert answer.status_code == 409
    assert ("body.title", "More of it") in ana.fields()


async def test_another_draft_of_the_same_words_has_the_same_writers(desk: Desk) -> None:
    # given an alert by somebody who also releases, that a colleague took over
    cy, ana = await desk.officer("cy", "duty_officer", "approver"), await desk.officer("ana")
    await cy.open("/compose")
    await cy.send(do="save", **LEAST)
    address = str(cy.answer.url.path)
    await ana.open(address)
    revision = re.search(r'name="revision" value="(\d+)"', ana.page)
    assert revision is not None
    await ana.press(f"{address}/take-over", revision=revision[1])
    await ana.open(address)

    # when it is kept as another draft and submitted
    await ana.send(do="fork")
    assert str(ana.answer.url.path) != address
    await ana.send(do="submit")

    # then it still needs somebody else
    await cy.open(str(ana.answer.url.path))
    assert "A coach to Vienna" in cy.page
    assert 'value="release"' not in cy.page


async def test_discarding_takes_along_what_its_window_is_still_saving(desk: Desk) -> None:
    # given a form whose script saves it, once before and once after the button is pressed
    ana = await begun(desk)
    await ana.send(do="save", body__title="First")
    form, script = ana.fields(), Officer(ana.browser)
    await script.send("/compose/live", fields=form, body__title="Second")

    # when
    answer = await ana.send(fields=form, do="discard", body__title="Second")
    await script.send("/compose/live", fields=form, body__title="Third")

    # then, and a second press changes nothing
    assert (answer.status_code, str(answer.url.path)) == (200, "/compose")
    assert await _being_written(desk) == 0
    answer = await ana.send(fields=form, do="discard", body__title="Second")
    assert (answer.status_code, str(answer.url.path)) == (200, "/compose")


async def test_a_new_form_that_was_discarded_does_not_come_back(desk: Desk) -> None:
    ana = await begun(desk)
    form, script = ana.fields(), Officer(ana.browser)
    await ana.send(fields=form, do="discard", body__title="First")
    await script.send("/compose/live", fields=form, body__title="First")

    assert await _being_written(desk) == 0


async def _being_written(desk: Desk) -> int:
    async with desk.node.store.reading() as unit:
        return len(await unit.drafts.list("rs.ncp", [WRITING], limit=9))
