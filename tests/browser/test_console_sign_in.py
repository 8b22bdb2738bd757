"""Signing in to a console: by script or without any, in each language, on a phone, by day and by night."""

from __future__ import annotations

import pytest
from conftest import OpenVisit
from console_nodes import NAMES, ConsoleNode, sign_in

from bridge.console.language import LANGUAGES, words_of


@pytest.mark.parametrize("javascript", [True, False], ids=["with-javascript", "without-javascript"])
async def test_whoever_signs_in_is_named_until_they_sign_out(
    open_visit: OpenVisit, austria: ConsoleNode, *, javascript: bool
) -> None:
    # given an officer, when they sign in
    visit = await open_visit(austria.origin, javascript=javascript)
    await sign_in(visit, "officer")

    # then the page names them, and after they have signed out it asks who is there
    await visit.page.get_by_text(NAMES["officer"]).first.wait_for()
    await visit.page.get_by_role("button", name="Sign out").click()
    await visit.page.get_by_label("Password").wait_for()
    await visit.go("/inbox")
    await visit.page.get_by_label("Password").wait_for()


async def test_a_wrong_password_is_said_so_and_the_login_stays(open_visit: OpenVisit, austria: ConsoleNode) -> None:
    # given a form filled with another password, when it is sent
    visit = await open_visit(austria.origin)
    await visit.go("/sign-in")
    await visit.page.get_by_label("Login").fill("officer")
    await visit.page.get_by_label("Password").fill("something else altogether")
    await visit.page.get_by_role("button", name="Sign in").click()

    # then the page says so, and only the password is to be typed again
    await visit.page.get_by_role("alert").wait_for()
    assert await visit.page.get_by_label("Login").input_value() == "officer"
    assert await visit.page.get_by_label("Password").input_value() == ""
    (told,) = await visit.take_faults()
    assert "422" in told


async def test_a_session_of_one_country_is_none_in_another(
    open_visit: OpenVisit, austria: ConsoleNode, serbia: ConsoleNode
) -> None:
    # given an officer who has signed in, when the browser goes on to another country's console on the same machine
    visit = await open_visit(austria.origin)
    await sign_in(visit, "officer")
    visit.origin = serbia.origin
    await visit.go("/inbox")

    # then that one asks who is there, and the first session goes on
    await visit.page.get_by_label("Password").wait_for()
    visit.origin = austria.origin
    await visit.go("/inbox")
    await visit.page.get_by_text(NAMES["officer"]).first.wait_for()
    await visit.take_faults()  # the two consoles are elsewhere for each other


async def test_the_front_page_speaks_the_browsers_language(open_visit: OpenVisit, austria: ConsoleNode) -> None:
    # given a browser on a phone
    visit = await open_visit(austria.origin, width=400)

    for language in LANGUAGES:
        # when it asks for a language
        await visit.page.set_extra_http_headers({"Accept-Language": language.tag})
        await visit.go("/")

        # then the page is in that language, and as wide as the phone
        words = words_of(language.tag)
        assert await visit.page.locator("html").get_attribute("lang") == words.tag == language.tag
        await visit.page.get_by_role("heading", name=words.text("Sign in"), level=1).wait_for()
        assert await visit.overflow() == 0, language.tag
