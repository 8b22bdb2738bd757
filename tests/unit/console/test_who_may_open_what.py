"""Every page of the console against every role, and whoever has not signed in. A page without a row fails."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from console_world import Browser, World
from starlette.responses import Response

from bridge.app.accounts.roles import Role
from bridge.console import access, app
from bridge.console.access import Page, all_pages
from bridge.console.visit import Visit

LETTERS: Final = {
    Role.DUTY_OFFICER: "D",
    Role.APPROVER: "R",
    Role.OPERATOR: "O",
    Role.AUDITOR: "U",
    Role.ADMINISTRATOR: "X",
}
EVERYBODY: Final = "*"

WHO_MAY: Final = {
    ("GET", "/sign-in"): "*",
    ("POST", "/sign-in"): "*",
    ("POST", "/sign-out"): "DROUX",
    ("POST", "/lock"): "DROUX",
    ("POST", "/stay"): "DROUX",
    ("GET", "/kept"): "DROUX",
    ("POST", "/kept/drop"): "DROUX",
    ("GET", "/sign-in/elsewhere"): "*",
    ("GET", "/sign-in/back"): "*",
    ("GET", "/language"): "*",
    ("POST", "/language"): "*",
    ("GET", "/"): "DROUX",
    ("GET", "/account"): "DROUX",
    ("POST", "/account/password"): "DROUX",
    ("GET", "/accounts"): "X",
    ("GET", "/accounts/new"): "X",
    ("POST", "/accounts/new"): "X",
    ("GET", "/accounts/{login}"): "X",
    ("POST", "/accounts/{login}/roles"): "X",
    ("POST", "/accounts/{login}/password"): "X",
    ("POST", "/accounts/{login}/disable"): "X",
    ("POST", "/accounts/{login}/enable"): "X",
    ("POST", "/accounts/{login}/sessions/end"): "X",
    ("GET", "/inbox"): "DRU",
    ("GET", "/message/{sender}/{message_id}"): "DRU",
    ("POST", "/message/{sender}/{message_id}"): "DRU",
    ("GET", "/message/{sender}/{message_id}/print"): "DRU",
    ("GET", "/message/{sender}/{message_id}/export"): "DRU",
    ("POST", "/message/{sender}/{message_id}/print"): "DRU",
    ("POST", "/message/{sender}/{message_id}/export"): "DRU",
    ("POST", "/message/{sender}/{message_id}/acknowledge"): "D",
    ("POST", "/message/{sender}/{message_id}/take"): "D",
    ("POST", "/message/{sender}/{message_id}/give-back"): "D",
    ("POST", "/message/{sender}/{message_id}/close"): "D",
    ("POST", "/message/{sender}/{message_id}/reopen"): "D",
    ("GET", "/search"): "DRU",
    ("GET", "/corridors"): "DRU",
    ("POST", "/search"): "DRU",
    ("GET", "/compose"): "D",
    ("POST", "/compose"): "D",
    ("POST", "/compose/live"): "D",
    ("GET", "/compose/{draft_id}"): "D",
    ("POST", "/compose/{draft_id}/take-over"): "D",
    ("GET", "/release"): "R",
    ("GET", "/release/{draft_id}"): "DRU",
    ("POST", "/release/{draft_id}/release"): "R",
    ("POST", "/release/{draft_id}/return"): "R",
    ("POST", "/release/{draft_id}/review"): "R",
    ("POST", "/release/{draft_id}/withdraw"): "D",
    ("GET", "/sent"): "DRU",
    ("POST", "/sent/{message_id}/update"): "D",
    ("POST", "/sent/{message_id}/cancel"): "D",
    ("GET", "/shift"): "DRU",
    ("POST", "/shift"): "D",
    ("GET", "/shift/{id}"): "DRU",
    ("POST", "/shift/{id}/take"): "D",
    ("GET", "/events"): "DROUX",
    ("GET", "/live/news"): "DROUX",
    ("GET", "/message/{sender}/{message_id}/changed"): "DRU",
    ("GET", "/operations"): "OU",
    ("GET", "/operations/queues"): "OU",
    ("GET", "/operations/checks"): "OU",
    ("POST", "/operations/checks"): "O",
    ("GET", "/operations/quarantine"): "OU",
    ("GET", "/operations/quarantine/{code}"): "OU",
    ("POST", "/operations/quarantine/{code}/ask"): "O",
    ("POST", "/operations/quarantine/{code}/work"): "O",
    ("POST", "/operations/tests"): "O",
    ("GET", "/operations/tests/{id}"): "OU",
    ("GET", "/audit"): "U",
    ("POST", "/audit"): "U",
}
REACHED: Final = 299


async def reached(visit: Visit) -> Response:
    del visit
    return Response(status_code=REACHED)


@pytest.fixture
def bare_pages(monkeypatch: pytest.MonkeyPatch) -> list[Page]:
    """Every page with a row at its place, and nothing behind it: the door alone decides."""
    pages = [replace(page, handler=reached) for page in all_pages() if (page.method, page.path) in WHO_MAY]
    monkeypatch.setattr(app, "all_pages", lambda: pages)
    return pages


def opened(page: Page) -> str:
    """An address of the page."""
    path = page.path
    for name in ("{login}", "{sender}", "{message_id}", "{draft_id}", "{id}", "{code}"):
        path = path.replace(name, "any")
    assert "{" not in path, f"{page.path}: the test does not know this part"
    return path


async def status_of(browser: Browser, page: Page) -> int:
    answer = await (browser.post(opened(page)) if page.method == "POST" else browser.get(opened(page)))
    return answer.status_code


def test_the_table_names_every_page_and_no_other() -> None:
    pages = {(page.method, page.path) for page in access.all_pages()}
    assert pages - set(WHO_MAY) == set(), "pages without a row in WHO_MAY"
    assert set(WHO_MAY) - pages == set(), "rows without a page"


def test_no_two_pages_have_one_name() -> None:
    names = [page.name for page in access.all_pages()]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_opens_its_pages_and_no_other(people: World, bare_pages: list[Page], role: Role) -> None:
    # given somebody with one role
    browser = Browser(people.app(), await people.session(await people.person(role)))

    # when they try every page
    found = {(page.method, page.path): await status_of(browser, page) for page in bare_pages}

    # then theirs opens, and the others say no
    expected = {key: REACHED if who == EVERYBODY or LETTERS[role] in who else 403 for key, who in WHO_MAY.items()}
    assert found == expected


async def test_whoever_has_not_signed_in_is_sent_to_do_so(people: World, bare_pages: list[Page]) -> None:
    browser = Browser(people.app())
    for page in bare_pages:
        status = await status_of(browser, page)
        expected = REACHED if WHO_MAY[page.method, page.path] == EVERYBODY else 401 if page.is_background else 303
        assert status == expected, page.path


async def test_a_locked_session_opens_no_page(people: World, bare_pages: list[Page]) -> None:
    # given a session of everything that nobody has used for longer than it may rest
    browser = Browser(people.app(), await people.session(await people.person(*Role, login="all")))
    people.clock.advance(people.sign_in.idle)

    # when it tries every page, then only what ends it is open
    for page in bare_pages:
        status = await status_of(browser, page)
        is_open = WHO_MAY[page.method, page.path] == EVERYBODY or page.is_open_while_locked
        assert status == (REACHED if is_open else 401 if page.is_background else 303), page.path


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://elsewhere.example"},
        {"sec-fetch-site": "same-site", "origin": "https://other.console.example"},
        {"sec-fetch-site": "same-origin", "origin": "https://elsewhere.example"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": "https://console.example"},
    ],
    ids=["elsewhere", "sibling", "lying", "nowhere", "relayed"],
)
async def test_no_form_from_elsewhere_is_taken(people: World, bare_pages: list[Page], headers: dict[str, str]) -> None:
    browser = Browser(people.app(), await people.session(await people.person(*Role, login="all")))
    for page in bare_pages:
        if page.method == "POST":
            answer = await browser.post(opened(page), None, **headers)
            assert answer.status_code == 403, page.path


async def test_no_form_without_its_token_is_taken(people: World, bare_pages: list[Page]) -> None:
    # given a session, and the token of another one
    await people.person(*Role, login="all")
    browser = Browser(people.app(), await people.session("all"))
    other = Browser(people.app(), await people.session("all"))

    # when forms come without a token, with a wrong one, with the other's, then none is taken
    for page in bare_pages:
        if page.method == "POST" and WHO_MAY[page.method, page.path] != EVERYBODY:
            for token in ("", "0" * 64, "\u0161", other.csrf):
                answer = await browser.post(opened(page), {"csrf": token})
                assert answer.status_code == 403, page.path


async def test_a_form_by_a_script_carries_the_token_in_a_header(people: World, bare_pages: list[Page]) -> None:
    del bare_pages
    browser = Browser(people.app(), await people.session(await people.person(Role.DUTY_OFFICER)))
    answer = await browser.post("/stay", {"csrf": ""}, **{"x-csrf-token": browser.csrf})
    assert answer.status_code == REACHED
