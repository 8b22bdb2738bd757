"""The pages of the desk: what they show, what they log, who has what in hand."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from console_world import Browser, World
from desk_samples import NOW, alert_body, desk_parts, given, leg, logged, officer, page_of, received, text_of

from bridge.app.desk.export import ExportMessages
from bridge.app.desk.open_message import OpenMessages


async def test_the_inbox_has_three_groups_and_logs_one_look(people: World) -> None:
    waiting = received(alert_body(title="It waits"))
    working = received(alert_body(title="Somebody works on it"), state="acknowledged")
    told = received(
        {**alert_body(title="For the record"), "level": "accepted"}, acknowledge_by=None, kind="acknowledgement"
    )
    await given(people, waiting, working, told)

    page = await text_of(await officer(people), "/inbox")

    places = [page.index(text) for text in ("It waits", "Somebody works on it", "For the record")]
    assert places == sorted(places)
    assert "Needs action 1" in page
    (entry,) = await logged(people, "inbox.read")
    assert (entry.actor, set(entry.detail["messages"].split())) == ("duty_officer", {waiting.id, working.id, told.id})


async def test_a_fragment_is_the_list_alone(people: World) -> None:
    browser = await officer(people)

    answer = await browser.get("/inbox", **{"hx-request": "true"})

    assert answer.text.lstrip().startswith('<div id="board"')


async def test_more_information_is_a_page_further(people: World) -> None:
    told = [received(alert_body(title=f"Number {n:02}"), acknowledge_by=None) for n in range(40)]
    await given(people, *told)
    browser = await officer(people)

    first = await text_of(browser, "/inbox")
    (link,) = re.findall(r'href="(/inbox\?before=\d+)"', first)
    second = await text_of(browser, link)

    assert ("Number 39" in first, "Number 09" in first, "Number 09" in second) == (True, False, True)
    assert (await browser.get("/inbox?before=x")).status_code == 422


async def test_opening_a_message_logs_it_and_marks_it_read(people: World) -> None:
    one = received(alert_body(request="Check the vans"))
    await given(people, one)

    page = await text_of(await officer(people), page_of(one))

    assert "Check the vans" in page
    assert page.index("TLP:AMBER") < page.index("Vans at Horgoš")
    assert "Vans" not in page[: page.index("</head>")], "browsers keep titles in their history"
    (entry,) = await logged(people, "body.read")
    assert (entry.actor, entry.subject) == ("duty_officer", one.id)
    async with people.store.reading() as unit:
        assert [item.state for item in await unit.inbox.get(one.id)] == ["read"]


async def test_an_auditor_reads_and_nothing_counts_as_read(people: World) -> None:
    one = received(alert_body())
    await given(people, one)

    page = await text_of(await officer(people, "auditor"), page_of(one))

    assert 'id="answer"' not in page
    async with people.store.reading() as unit:
        assert [item.state for item in await unit.inbox.get(one.id)] == ["new"]


async def asked_why(people: World) -> Browser:
    """An officer where a reason is asked for alerts."""
    parts = desk_parts(people)
    opening = replace(cast("OpenMessages", parts["opening"]), reason_for=frozenset({"route_alert"}))
    parts |= {"opening": opening, "exporting": replace(cast("ExportMessages", parts["exporting"]), opening=opening)}
    login = await people.person("duty_officer")
    return Browser(people.app(**parts), await people.session(login))


@pytest.mark.parametrize("copy", ["", "/print", "/export"])
async def test_a_kind_that_asks_why_is_opened_for_a_reason_only(people: World, copy: str) -> None:
    one = received(alert_body())
    await given(people, one)
    browser, path = await asked_why(people), page_of(one) + copy

    asked = await browser.get(path)
    empty = await browser.post(path, {"reason": " "})
    opened = await browser.post(path, {"reason": "Case 12"})

    assert [("Vans" in answer.text, answer.status_code) for answer in (asked, empty, opened)] == [
        (False, 200),
        (False, 422),
        (True, 200),
    ]
    assert f'action="{path}"' in asked.text
    assert [entry.detail.get("reason") for entry in await logged(people, "body.read")] == ["Case 12"]


async def test_what_asks_why_is_not_opened_beside_another_message_of_its_thread(people: World) -> None:
    first = received(alert_body(request="Only for a reason"))
    cancel = received(
        {**alert_body(title="Never mind"), "reason": "unfounded"},
        kind="alert_cancel",
        thread=first.id,
        supersedes=first.id,
        supersedes_from=first.sender,
    )
    await given(people, first, cancel)

    await text_of(await asked_why(people), page_of(cancel))

    assert [entry.subject for entry in await logged(people, "body.read")] == [cancel.id]
    assert await logged(people, "thread.read") == []


async def test_an_answer_to_a_kind_that_asks_why_is_not_lost_for_want_of_the_reason(people: World) -> None:
    one = received(alert_body())
    await given(people, one)
    browser, wrong = await asked_why(people), {"note": "Typed already", "do": "acknowledge"}

    asked = await browser.post(f"{page_of(one)}/acknowledge", wrong)
    assert (asked.status_code, "Typed already" in asked.text, "Vans" in asked.text) == (422, True, False)

    opened = await browser.post(page_of(one), {"reason": "Case 12", "note": "Typed already"})
    assert (opened.status_code, "Typed already" in opened.text, 'value="Case 12"' in opened.text) == (200, True, True)

    again = await browser.post(f"{page_of(one)}/acknowledge", wrong | {"reason": "Case 12"})
    assert (again.status_code, "Choose how far it got." in again.text, "Typed already" in again.text) == (
        422,
        True,
        True,
    )


async def test_what_changed_is_said_in_words(people: World) -> None:
    first = received(alert_body(severity="severe"))
    changed = alert_body(severity="extreme", change_summary="More of them", legs=[leg(end="HU")], novelty={"x": [1]})
    second = received(changed, kind="alert_update", thread=first.id, supersedes=first.id, supersedes_from=first.sender)
    await given(people, first, second)
    browser = await officer(people)

    newest, before = await text_of(browser, page_of(second)), await text_of(browser, page_of(first))

    assert "<del>Severe</del>" in newest
    assert "<ins>Extreme</ins>" in newest
    assert "Albania → Serbia" in newest
    assert "novelty: {&#34;x&#34;: [1]}" in newest
    assert "A later version took the place of this one." in before


async def test_a_cancelled_alert_says_so(people: World) -> None:
    first = received(alert_body())
    cancel = received(
        {**alert_body(), "reason": "unfounded"},
        kind="alert_cancel",
        thread=first.id,
        supersedes=first.id,
        supersedes_from=first.sender,
    )
    await given(people, first, cancel)

    page = await text_of(await officer(people), page_of(first))

    assert "This alert has been cancelled." in page
    assert "This is not the latest message of its thread." in page


async def test_an_exercise_is_marked_wherever_it_is_shown(people: World) -> None:
    one = received(alert_body(), status="exercise")
    await given(people, one)
    browser = await officer(people)

    for path in ("/inbox", page_of(one), page_of(one) + "/print"):
        assert "Exercise" in await text_of(browser, path)


@pytest.mark.parametrize("state", ["expired", "acknowledged"])
async def test_a_message_without_a_body_is_shown_as_what_it_is(people: World, state: str) -> None:
    one = received(None, state=state)
    await given(people, one)
    browser = await officer(people)

    page = await text_of(browser, page_of(one))

    assert ("Expired before it arrived" if state == "expired" else "The text has been erased") in page
    assert await logged(people, "body.read") == []


async def test_a_body_that_does_not_open_hides_no_other(people: World) -> None:
    one, other = received(alert_body()), received(alert_body(title="The other one"))
    await given(people, replace(one, body=other.body), other)
    browser = await officer(people)

    board = await text_of(browser, "/inbox")

    assert "The text does not open with the key of this node" in board
    assert "The other one" in board
    assert other.id in (await browser.post("/search", {"text": "other"})).text
    assert (await browser.get(page_of(one))).status_code == 503


async def test_taking_closing_and_opening_again(people: World) -> None:
    one = received(alert_body(), state="acknowledged")
    await given(people, one)
    browser = await officer(people)

    for step, said in (
        ("take", "You have it in hand"),
        ("give-back", "Nobody has it in hand"),
        ("close", "Closed by A. B."),
        ("reopen", "Nobody has it in hand"),
    ):
        assert (await browser.post(f"{page_of(one)}/{step}")).status_code == 303
        assert said in await text_of(browser, page_of(one)), step
    assert [len(await logged(people, f"message.{done}")) for done in ("taken", "given_back", "closed", "reopened")] == [
        1
    ] * 4


async def test_what_a_colleague_took_meanwhile_is_said(people: World) -> None:
    one = received(alert_body())
    await given(people, one)
    browser = await officer(people)
    async with people.store.writing() as unit:
        await unit.desk.take("rs.ncp", (one.sender, one.id), "somebody-else", NOW)

    answer = await browser.post(f"{page_of(one)}/take", {"taken_by": ""})

    assert answer.status_code == 409
    assert "A colleague has it in hand by now." in answer.text
    assert (await browser.post(f"{page_of(one)}/take", {"taken_by": "somebody-else"})).status_code == 303


async def test_what_is_not_acknowledged_is_not_closed(people: World) -> None:
    one = received(alert_body())
    await given(people, one)

    answer = await (await officer(people)).post(f"{page_of(one)}/close")

    assert (answer.status_code, "E_NOT_IN_PROGRESS" in answer.text) == (409, True)


async def test_an_answer_without_a_level_keeps_what_was_typed(people: World) -> None:
    one = received(alert_body())
    await given(people, one)

    answer = await (await officer(people)).post(
        f"{page_of(one)}/acknowledge", {"note": "Typed <already>", "do": "acknowledge"}
    )

    assert answer.status_code == 422
    assert "Typed &lt;already&gt;" in answer.text
    assert "Choose how far it got." in answer.text


async def test_an_answer_that_was_kept_at_a_lock_is_shown_and_not_sent(people: World) -> None:
    one = received(alert_body())
    await given(people, one)

    half = {"level": "accepted", "note": "half written", "redirect_to": "", "answer": "", "replaced_by": ""}
    answer = await (await officer(people)).post(f"{page_of(one)}/acknowledge", half)

    assert (answer.status_code, "half written" in answer.text) == (200, True)
    assert re.search(r'value="accepted" required checked', answer.text)
    assert await logged(people, "message.acknowledged") == []


async def test_an_export_carries_its_marking_and_the_signed_bytes_and_is_logged(people: World) -> None:
    one = received(alert_body())
    await given(people, one)

    answer = await (await officer(people)).get(page_of(one) + "/export")

    exported = json.loads(answer.text)
    assert next(iter(exported)) == "marking"
    assert exported["marking"]["tlp"] == "AMBER"
    assert exported["body"]["title"] == "Vans at Horgoš"
    assert exported["wire"]
    assert "attachment" in answer.headers["content-disposition"]
    assert [entry.subject for entry in await logged(people, "message.exported")] == [one.id]


@pytest.mark.parametrize("path", ["/message/al.ncp/none", "/message/%2e%2e/%00", "/message/rs.ncp/none/export"])
async def test_an_address_of_nothing_is_an_answer(people: World, path: str) -> None:
    assert (await (await officer(people)).get(path)).status_code == 422


async def test_a_search_finds_words_codes_and_times_and_logs_what_it_showed(people: World) -> None:
    one = received(alert_body(title="Kombi na Horgošu", exploitation=["forced_begging"]))
    other = received(alert_body(title="Something else", legs=[leg("XK")]), received_at=NOW - timedelta(days=30))
    await given(people, one, other)
    browser = await officer(people)

    async def found(**form: str) -> set[str]:
        page = (await browser.post("/search", form)).text
        return {item.id for item in (one, other) if f"/{item.id}" in page}

    assert await found(text="HORGOS kombi") == {one.id}
    assert await found(text="horgosem") == set()
    assert await found(exploitation="forced_begging") == {one.id}
    assert await found(country="XK") == {other.id}
    assert await found(since="2026-11-20") == {one.id}
    assert await found(until="2026-11-20", kind="route_alert", urgency="immediate") == {other.id}
    entries = await logged(people, "search.read")
    assert {entry.detail["messages"] for entry in entries} == {one.id, other.id}
    assert not any("orgos" in str(entry.detail).casefold() for entry in entries)


@pytest.mark.parametrize("form", [{"text": "x"}, {"text": "y" * 201}, {"since": "yesterday"}, {"until": "2026-02-30"}])
async def test_a_search_for_nothing_marks_the_field(people: World, form: dict[str, str]) -> None:
    answer = await (await officer(people)).post("/search", form)

    assert (answer.status_code, "error-summary" in answer.text) == (422, True)
