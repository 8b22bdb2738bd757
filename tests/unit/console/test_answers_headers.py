"""What every answer of the console carries, whatever it is an answer to; limits of what it takes."""

from __future__ import annotations

import pytest
from console_world import FROM_HERE, Browser, World

from bridge.app.accounts.roles import Role
from bridge.console.visit import LONGEST_FORM, MOST_FIELDS
from bridge.core.errors import UnavailableError

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=63072000",
}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/sign-in", 200),
        ("/language", 200),
        ("/", 303),
        ("/no-such-page", 404),
        ("/static/no-such-file", 404),
        ("/sign-in/back", 403),
        ("/inbox/", 404),
        ("/%00", 404),
        ("/stay", 405),
    ],
)
async def test_every_answer_has_the_headers(people: World, path: str, status: int) -> None:
    answer = await Browser(people.app()).get(path)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in ALWAYS} == ALWAYS
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "trusted-types ncp-bridge" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"


async def test_a_fault_answers_with_the_headers_and_without_its_words(people: World) -> None:
    # given a page whose use case breaks
    browser = Browser(people.app(accounts=None), await people.session(await people.person(Role.ADMINISTRATOR)))

    # when it is opened, then the answer says nothing of why
    answer = await browser.get("/accounts")
    assert answer.status_code == 500
    assert "NoneType" not in answer.text
    assert "E_INTERNAL" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


async def test_without_its_database_it_says_so(people: World) -> None:
    # given a browser with a session, and a database that went away
    class Away:
        async def session(self, *_: object, **__: object) -> None:
            raise UnavailableError("E_DATABASE", "the database is not there")

    browser = Browser(people.app(sign_in=Away()), "token")

    # when a page is opened, then it is told
    answer = await browser.get("/account")
    assert answer.status_code == 503
    assert "E_DATABASE" in answer.text


async def test_plain_http_is_not_told_to_be_https(people: World) -> None:
    answer = await Browser(people.app(origin="http://127.0.0.1:8440")).get("/sign-in")
    assert answer.status_code == 200
    assert "strict-transport-security" not in answer.headers


async def test_own_files_may_be_kept(people: World) -> None:
    # given the address of a style sheet as a page names it
    browser = Browser(people.app())
    page = (await browser.get("/sign-in")).text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]

    # when it is fetched, then a browser may keep it
    answer = await browser.get(address)
    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/css")


async def test_pages_name_no_other_origin_and_hold_no_inline_code(people: World) -> None:
    browser = Browser(people.app(), await people.session(await people.person(*Role, login="all")))
    for path in ("/sign-in", "/language", "/account", "/accounts", "/accounts/new", "/accounts/all", "/no-such-page"):
        text = (await browser.get(path)).text
        assert "style=" not in text, path
        assert "<style" not in text, path
        assert " on" + "click=" not in text, path
        assert all("src=" in tag for tag in text.split("<script")[1:]), path
        assert "http://" not in text.replace("http://www.w3.org", ""), path


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"csrf=" + b"x" * LONGEST_FORM, 413),
        (b"&".join([b"a=b"] * (MOST_FIELDS + 1)), 422),
        (b"login=\xff", 422),
    ],
    ids=["large", "many", "no-text"],
)
async def test_what_is_no_form_of_ours_is_refused(people: World, body: bytes, status: int) -> None:
    headers = {**FROM_HERE, "content-type": "application/x-www-form-urlencoded"}
    answer = await Browser(people.app()).client.post("/sign-in", content=body, headers=headers)
    assert answer.status_code == status
