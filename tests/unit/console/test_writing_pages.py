"""Writing alerts in a browser: nothing typed is lost, what is wrong is named at its field, a second person sends."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from writing_world import Desk, Officer
from writing_world import desk as desk  # noqa: PLC0414 - a fixture

from bridge.core.errors import UnavailableError

LEAST = {
    "urgency": "immediate",
    "body__title": "A coach to Vienna",
    "body__legs__0__to__country": "AT",
    "body__exploitation": "sexual",
    "body__means": "unknown",
}
HOSTILE = '<script>alert("1")</script>\u202e\u2066"><img src=x onerror=alert(1)>'


async def begun(desk: Desk, login: str = "ana") -> Officer:
    officer = await desk.officer(login)
    assert (await officer.open("/compose")).status_code == 200
    return officer


def links(answer: httpx.Response) -> list[str]:
    """The fields that the error summary leads to; each is on the page."""
    found = re.findall(r'<li><a href="#([^"]+)">', answer.text)
    for name in found:
        assert f'id="{name}"' in answer.text, name
    return found


async def test_an_alert_is_written_submitted_and_released_by_a_second_person(desk: Desk) -> None:
    # given an officer, and an approver of the same contact point
    ana, bo = await begun(desk), await desk.officer("bo", "approver")

    # when it is written and submitted
    await ana.send(do="submit", **LEAST)
    assert "It is not sent yet" in ana.page
    assert "Release and send" not in ana.page
    address = str(ana.answer.url).split("?")[0].removeprefix("https://console.example")

    # then the approver sees the whole of it, and releases it
    await bo.open("/release")
    assert "A coach to Vienna" in bo.page
    await bo.open(address)
    for part in ("at.ncp", "at.border-police", "never written to before", "TLP:AMBER", "A coach to Vienna"):
        assert part in bo.page
    fields = dict(re.findall(r'type="hidden" name="(revision|recipients)" value="([^"]*)"', bo.page))
    assert (await bo.press(f"{address}/release", **fields)).status_code == 200, "without its button it does nothing"
    assert await desk.node.new_rows() == []
    assert (await bo.press(f"{address}/release", do="release", **fields)).status_code == 303
    assert len(await desk.node.new_rows()) == 1
    await bo.open("/sent")
    assert "A coach to Vienna" in bo.page
    assert await desk.logged("draft.released") == ["bo"]


async def test_the_check_names_every_field_and_keeps_what_was_typed(desk: Desk) -> None:
    ana = await begun(desk)
    answer = await ana.send(do="check", body__title="A" * 10_000, body__observed_from="yesterday")

    assert answer.status_code == 422
    expected = ["f-urgency", "f-body-title", "f-body-observed-from", "f-body-legs-0-to-country"]
    assert set(links(answer)) == {*expected, "f-body-exploitation", "f-body-means"}
    assert "Write at most 200 characters; there are 10000." in answer.text
    assert f'value="{"A" * 10_000}"' in answer.text
    assert 'value="yesterday"' in answer.text


async def test_text_in_every_field_is_only_text(desk: Desk) -> None:
    # given a form in which everything that takes text holds markup
    ana = await begun(desk)
    typed = [(name, HOSTILE) for name, _ in ana.fields() if name.startswith("body.") or name == "expires"]
    kept = [(name, value) for name, value in ana.fields() if not name.startswith("body.") and name != "expires"]

    # when it is checked, shown again, and listed, then it comes back as it was typed, and as text
    for do in ("check", "save"):
        answer = await ana.send(fields=[*kept, *typed, ("do", do)])
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt;" in answer.text
        assert '<input type="text" id="f-body-title"' in answer.text
        kept = [(name, value) for name, value in ana.fields() if not name.startswith("body.") and name != "expires"]
    await ana.open("/compose")
    assert "<script>alert" not in ana.page
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_legs_groups_and_languages_are_added_and_removed_without_a_script(desk: Desk) -> None:
    ana = await begun(desk)
    await ana.send(do="add:body.legs", body__legs__0__to__country="HU", body__legs__0__to__place="Szeged")
    assert ("body.legs[1].from.country", "HU") in ana.fields()
    assert ("body.legs[1].from.place", "Szeged") in ana.fields()
    await ana.send(do="add:body.victims")
    await ana.send(do="add:body.narrative", add_language="hu")
    assert 'name="body.narrative.hu"' in ana.page
    await ana.send(do="remove:body.legs[0]", body__legs__1__to__country="AT", body__narrative__hu="Szöveg")

    fields = ana.fields()
    assert ("body.legs[0].from.country", "HU") in fields
    assert not [name for name, _ in fields if name.startswith("body.legs[1]")]
    assert ("body.narrative.hu", "Szöveg") in fields
    assert 'name="body.victims[0].age_band"' in ana.page


async def test_the_crossings_are_those_of_the_border(desk: Desk) -> None:
    ana = await begun(desk)
    await ana.send("/compose/live", body__legs__0__to__country="HU")
    assert "Horgoš" in ana.page
    assert "Nickelsdorf" not in ana.page


async def test_while_somebody_types_it_is_saved_and_what_follows_is_shown(desk: Desk) -> None:
    # given a form that no draft is stored of
    ana = await begun(desk)
    form = ana.fields()

    # when its script sends it twice, the second time before the first answer was there
    first = await ana.send("/compose/live", fields=form, **LEAST)
    await ana.send("/compose/live", fields=form, **LEAST | {"body__title": "More of it"})

    # then there is one draft, with the last words, and its recipients are named
    assert first.text.startswith("{#") is False
    assert "at.border-police" in ana.page
    assert "Draft saved" in ana.page
    await ana.open("/compose")
    assert ana.page.count("/compose/0") == 1
    assert "More of it" in ana.page
    assert await desk.logged("draft.begun") == ["ana"]


async def test_another_window_does_not_overwrite_and_keeps_its_words(desk: Desk) -> None:
    # given one draft in two windows
    ana = await begun(desk)
    await ana.send(do="save", body__title="First")
    address = str(ana.answer.url.path)
    other = Officer(ana.browser)
    await other.open(address)
    await ana.send(do="save", body__title="Second")

    # when the second window saves what it does not know to be old
    answer = await other.send(do="save", body__title="Third")

    # then it is told so, has its words still, and may keep them as a draft of their own
    assert answer.status_code == 409
    assert ("body.title", "Third") in other.fields()
    await other.send(do="fork")
    assert str(other.answer.url.path) != address
    assert ("body.title", "Third") in other.fields()
    await other.open(address)
    assert ("body.title", "Second") in other.fields()


async def test_what_looks_like_personal_data_is_asked_about_at_its_place(desk: Desk) -> None:
    ana = await begun(desk)
    answer = await ana.send(do="submit", **LEAST | {"body__request": "Call +43 1 2345678"})
    assert answer.status_code == 422
    assert links(answer) == ["f-body-request"]
    assert "This looks like a telephone number." in answer.text
    key = re.findall(r'name="confirm" value="([0-9a-f]+)"', answer.text)
    assert len(key) == 1

    await ana.send(do="submit", confirm=key[0])
    assert "It is not sent yet" in ana.page


async def test_an_emergency_needs_a_reason_and_is_to_be_reviewed(desk: Desk) -> None:
    ana, bo = await begun(desk), await desk.officer("bo", "approver")
    answer = await ana.send(do="emergency", **LEAST)
    assert answer.status_code == 422
    assert "Say in at least 10 characters" in answer.text

    await ana.send(do="emergency", reason="The approver cannot be reached by telephone.")
    assert "It left without a second person" in ana.page
    address = str(ana.answer.url.path)
    assert len(await desk.node.new_rows()) == 1
    await bo.open("/release")
    assert address in bo.page
    await bo.open(address)
    revision = re.search(r'name="revision" value="(\d+)"', bo.page)
    assert revision is not None
    assert (await bo.press(f"{address}/review", do="review", revision=revision[1], note="")).status_code == 303


async def test_the_author_cannot_release_by_typing_the_address(desk: Desk) -> None:
    both = await desk.officer("cy", "duty_officer", "approver")
    await both.open("/compose")
    await both.send(do="submit", **LEAST)
    address = str(both.answer.url.path)
    assert "Another approver of this contact point releases it" in both.page

    answer = await both.press(f"{address}/release", do="release", revision="2", recipients="any")
    assert answer.status_code == 409
    assert "You wrote this yourself" in answer.text
    assert await desk.node.new_rows() == []


async def test_a_recipient_who_is_gone_by_now_is_shown_before_anything_leaves(desk: Desk) -> None:
    # given an approver who looked
    ana, bo = await begun(desk), await desk.officer("bo", "approver")
    await ana.send(do="submit", **LEAST)
    address = str(ana.answer.url.path)
    await bo.open(address)
    fields = dict(re.findall(r'type="hidden" name="(revision|recipients)" value="([^"]*)"', bo.page))

    # when a recipient leaves
    points = dict(desk.trust.directory.contact_points)
    points["at.border-police"] = replace(points["at.border-police"], suspended="closed")
    desk.trust.directory = replace(desk.trust.directory, contact_points=points)
    answer = await bo.press(f"{address}/release", do="release", **fields)

    # then it is said, with who is gone, and the next look is what counts
    assert answer.status_code == 409
    assert "No longer: at.border-police" in answer.text
    fields = dict(re.findall(r'type="hidden" name="(revision|recipients)" value="([^"]*)"', answer.text))
    assert (await bo.press(f"{address}/release", do="release", **fields)).status_code == 303


async def test_writing_goes_on_while_the_list_cannot_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    ana = await begun(desk)

    def gone() -> None:
        raise UnavailableError("E_TRUST", "no mirror answers")

    monkeypatch.setattr(desk.trust, "current", gone)
    await ana.send("/compose/live", **LEAST)
    assert "The membership list cannot be read now" in ana.page
    assert "Draft saved" in ana.page
    await ana.open("/compose")
    assert "A coach to Vienna" in ana.page


async def test_an_old_list_is_said_and_the_draft_kept(desk: Desk) -> None:
    ana = await begun(desk)
    desk.trust.directory = replace(desk.trust.directory, signed_at=desk.people.clock.now() - timedelta(days=46))
    answer = await ana.send(do="submit", **LEAST)
    assert answer.status_code == 422
    assert "The membership list is too old" in answer.text
    assert ("body.title", "A coach to Vienna") in ana.fields()


async def test_a_form_without_a_button_is_saved_and_nothing_more(desk: Desk) -> None:
    ana = await begun(desk)
    await ana.send(**LEAST)
    assert str(ana.answer.url.path).startswith("/compose/")
    assert ("body.title", "A coach to Vienna") in ana.fields()
    assert await desk.node.new_rows() == []


async def test_a_colleagues_draft_is_taken_over_knowingly(desk: Desk) -> None:
    ana, cy = await begun(desk), await desk.officer("cy")
    await ana.send(do="save", body__title="Half of it")
    address = str(ana.answer.url.path)

    await cy.open(address)
    assert "ana writes it" in cy.page
    revision = re.search(r'name="revision" value="(\d+)"', cy.page)
    assert revision is not None
    assert (await cy.press(f"{address}/take-over", revision=revision[1])).status_code == 303
    await cy.open(address)
    assert ("body.title", "Half of it") in cy.fields()
    answer = await ana.send(do="save", body__title="The other half")
    assert answer.status_code == 409
    assert ("body.title", "The other half") in ana.fields()


async def test_an_update_and_a_cancellation_begin_from_what_was_sent(desk: Desk) -> None:
    # given an alert that left
    ana = await begun(desk)
    await ana.send(do="emergency", reason="Nobody else is on duty.", **LEAST)
    message_id = re.search(r"/message/rs.ncp/([0-9a-f-]+)", ana.page)
    assert message_id is not None

    # when
    answer = await ana.press(f"/sent/{message_id[1]}/update")
    await ana.open(answer.headers["location"])
    assert ("body.title", "A coach to Vienna") in ana.fields()
    answer = await ana.send(do="check")
    assert links(answer) == ["f-body-change-summary"]
    answer = await ana.send(do="save", body__title="A coach to Graz", body__change_summary="It goes to Graz.")
    assert "1 difference from the version before" in ana.page
    assert '<del><span class="free-text" lang="en" dir="auto">A coach to Vienna</span></del>' in ana.page
    answer = await ana.press(f"/sent/{message_id[1]}/cancel")
    await ana.open(answer.headers["location"])

    # then
    assert "A colleague also writes" in ana.page
    answer = await ana.send(do="submit", body__reason="disrupted")
    assert "It is not sent yet" in ana.page


async def test_a_draft_is_returned_with_what_is_missing_or_taken_back(desk: Desk) -> None:
    # given a submitted alert
    ana, bo = await begun(desk), await desk.officer("bo", "approver")
    await ana.send(do="submit", **LEAST)
    address = str(ana.answer.url.path)

    # when it is returned, then not without a word, and the word is beside the form
    answer = await bo.press(f"{address}/return", do="return", revision="2", note=" ")
    assert answer.status_code == 422
    assert "Say what is missing." in answer.text
    assert (await bo.press(f"{address}/return", do="return", revision="2", note="Which coach?")).status_code == 303
    await ana.open((await ana.open(address)).headers["location"])
    assert "Which coach?" in ana.page
    assert "Returned by bo:" in ana.page

    # and when it is submitted again, its author may take it back before anybody looks
    await ana.send(do="submit", body__title="The night coach to Vienna")
    answer = await ana.press(f"{address}/withdraw", do="withdraw", revision=revision_on(ana.page))
    assert answer.headers["location"].startswith("/compose/")
    assert (await bo.open(address)).headers["location"] == "/release", "there is nothing to release any more"


def revision_on(page: str) -> str:
    found = re.search(r'name="revision" value="(\d+)"', page)
    assert found is not None
    return found[1]
