"""A session from signing in to its end, as a browser sees it; what was being written when it locked is kept."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from console_world import IDLE, PASSWORD, Browser, MovedClock, PlainPasswords, World

from bridge.app.accounts.manage import LONGEST_LOGIN
from bridge.app.accounts.roles import Role
from bridge.app.accounts.sign_in import LONGEST_SESSION, MOST_FAILURES, LocalAccounts, SignIn
from bridge.console.guard import kept as kept_forms
from bridge.console.guard import limits
from bridge.console.guard.kept import KEPT_FOR, MOST_KEPT, MOST_OF_A_PERSON, KeptForms
from bridge.core.errors import RefusedError, UnavailableError
from bridge.web import limit as limit_of_web

SIGN_IN = {"login": "duty", "password": PASSWORD}


async def officer(people: World, **others: object) -> Browser:
    """A browser in which a duty officer has just signed in."""
    await people.person(Role.DUTY_OFFICER, login="duty")
    browser = Browser(people.app(**others))
    answer = await browser.post("/sign-in", {**SIGN_IN, "next": "/account"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    return browser


async def test_the_cookie_is_for_this_origin_alone(people: World) -> None:
    await people.person(Role.DUTY_OFFICER, login="duty")
    answer = await Browser(people.app()).post("/sign-in", SIGN_IN)
    name, _, rest = answer.headers["set-cookie"].partition("=")
    assert name == "__Host-ncp-bridge-rs"
    assert {part.strip().lower() for part in rest.split(";")[1:]} == {"httponly", "path=/", "samesite=strict", "secure"}


async def test_a_session_locks_after_its_idle_time_and_says_so(people: World) -> None:
    # given
    browser = await officer(people)
    people.clock.advance(IDLE - timedelta(seconds=1))
    assert (await browser.get("/account")).status_code == 200

    # when nobody uses it
    people.clock.advance(IDLE)
    answer = await browser.get("/account?x=1")

    # then it is sent to sign in, and comes back
    assert answer.headers["location"] == "/sign-in?why=locked&next=%2Faccount%3Fx%3D1"
    page = (await browser.get(answer.headers["location"])).text
    assert "15 minutes" in page
    assert "A. B." not in page
    again = await browser.post("/sign-in", {**SIGN_IN, "next": "/account?x=1"})
    assert again.headers["location"] == "/account?x=1"


async def test_what_a_page_asks_for_on_its_own_keeps_no_session_awake(people: World) -> None:
    browser = await officer(people)
    for _ in range(4):
        people.clock.advance(IDLE / 4)
        await browser.get("/account", **{"ncp-background": "1"})
    assert (await browser.get("/account")).status_code == 303


async def test_twelve_hours_are_the_end_whatever_happens(people: World) -> None:
    browser = await officer(people)
    while people.clock.time.hour < 8 + LONGEST_SESSION.seconds // 3600 - 1:
        people.clock.advance(timedelta(minutes=10))
        assert (await browser.post("/stay")).status_code == 204
    for _ in range(6):
        people.clock.advance(timedelta(minutes=10))
        last = await browser.get("/account")
    assert last.status_code == 303


async def test_signing_in_again_gives_another_token_and_ends_the_one_before(people: World) -> None:
    browser = await officer(people)
    first = browser.own_token
    await browser.post("/sign-in", SIGN_IN)
    assert browser.own_token != first
    assert await people.sign_in.session(first or "") is None


async def test_a_form_that_was_sent_too_late_is_kept_and_offered_again(people: World) -> None:
    # given an officer who typed for longer than a session rests
    browser = await officer(people)
    form = [("text", "two\nlines <b>"), ("leg", "1"), ("leg", "2")]
    people.clock.advance(IDLE)
    body = {"text": form[0][1], "leg": ["1", "2"]}
    answer = await browser.post("/compose", body)
    assert answer.headers["location"].startswith("/sign-in?why=locked")

    # when they sign in again
    again = await browser.post("/sign-in", SIGN_IN)

    # then what they had sent is there, for them alone, and not done
    assert again.headers["location"] == "/kept"
    page = (await browser.get("/kept")).text
    assert 'action="/compose"' in page
    assert '<textarea name="text" hidden>\ntwo\nlines &lt;b&gt;</textarea>' in page
    assert page.count('<textarea name="leg" hidden>') == 2
    assert page.count('name="csrf"') >= 2
    await people.person(Role.DUTY_OFFICER, login="other")
    other = Browser(people.app(), await people.session("other"))
    assert (await other.get("/kept")).status_code == 303

    # and once it is not wanted, or done, it is gone
    await browser.post("/kept/drop", {"action": "/compose"})
    assert (await browser.get("/kept")).status_code == 303
    await browser.post("/lock", {"action": "/stay", "fields": "text=x"})
    await browser.post("/sign-in", SIGN_IN)
    assert (await browser.get("/kept")).status_code == 200
    await browser.post("/stay", {"text": "x"})
    assert (await browser.get("/kept")).status_code == 303


async def test_a_form_of_a_locked_session_without_the_token_is_not_kept(people: World) -> None:
    browser = await officer(people)
    people.clock.advance(IDLE)
    assert (await browser.post("/compose", {"csrf": "0" * 64, "text": "forged"})).status_code == 403
    again = await browser.post("/sign-in", SIGN_IN)
    assert again.headers["location"] == "/"


async def test_the_browsers_own_lock_keeps_the_form_that_was_under_way(people: World) -> None:
    browser = await officer(people)
    form = {"action": "/compose", "fields": "text=a%26b&csrf=old&leg=1", "next": "/compose"}
    answer = await browser.post("/lock", form)
    assert answer.headers["location"] == "/sign-in?why=locked&next=%2Fcompose"
    assert (await browser.get("/account")).status_code == 303
    assert (await browser.post("/sign-in", SIGN_IN)).headers["location"] == "/kept"
    page = (await browser.get("/kept")).text
    assert "a&amp;b</textarea>" in page
    assert "old" not in page


async def test_no_password_is_kept(people: World) -> None:
    browser = await officer(people)
    people.clock.advance(IDLE)
    await browser.post("/account/password", {"old_password": PASSWORD, "password": "another one of mine"})
    assert (await browser.post("/sign-in", SIGN_IN)).headers["location"] == "/"


def test_kept_forms_are_bounded_and_end() -> None:
    now = MovedClock().now()
    kept = KeptForms()
    for number in range(MOST_KEPT + 1):
        kept.keep(f"p{number}", "/compose", [("text", "x")], now)
    assert not kept.of("p0", now)
    assert kept.of("p1", now)
    assert not kept.of("p1", now + KEPT_FOR)
    assert "x" not in repr(kept)


def test_somebody_has_several_forms_and_one_that_failed_gives_way_first() -> None:
    now, kept = MovedClock().now(), KeptForms()
    kept.keep("duty", "/compose", [("draft", "1"), ("text", "waits")], now)
    kept.keep("duty", "/message/a/b/acknowledge", [("note", "failed")], now, was_tried=True)
    for number in range(2, MOST_OF_A_PERSON + 1):
        kept.keep("duty", "/compose", [("draft", f"{number}"), ("text", "old")], now)
        kept.keep("duty", "/compose", [("draft", f"{number}"), ("text", "new")], now)
    texts = [dict(form.fields)["text"] for form in kept.of("duty", now)]
    assert texts == ["new"] * (MOST_OF_A_PERSON - 1) + ["waits"]
    assert not kept.keep("duty", "/search", [("text", "x")], now)
    assert not kept.keep("duty", "/stay", [("csrf", "x")], now)


def test_the_tokens_whose_sessions_are_known_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_forms, "MOST_KNOWN", 2)
    now, kept = MovedClock().now(), KeptForms()
    for token in ("first", "second", "first", "third"):
        kept.know(token, "duty", now)
    assert [kept.owner(token, now) for token in ("first", "second", "third")] == ["duty", None, "duty"]
    assert kept.owner("first", now + KEPT_FOR) is None


async def test_what_arrives_after_its_session_has_ended_is_kept(people: World) -> None:
    # given an officer who types while an administrator ends the session
    browser = await officer(people)
    await browser.get("/account")
    await people.accounts.end_sessions("duty", by="admin")
    answer = await browser.post("/compose", {"draft": "1", "text": "TYPED"})
    assert answer.headers["location"] == "/sign-in?why=ended"

    # then it waits for them
    assert (await browser.post("/sign-in", SIGN_IN)).headers["location"] == "/kept"
    assert "TYPED" in (await browser.get("/kept")).text


async def test_what_another_tab_sends_after_signing_in_again_is_kept(people: World) -> None:
    browser = await officer(people)
    await browser.get("/account")
    before = browser.csrf
    await browser.post("/sign-in", SIGN_IN)
    answer = await browser.post("/compose", {"csrf": before, "draft": "1", "text": "TYPED", "do": "submit"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/kept")
    assert "TYPED" in (await browser.get("/kept")).text
    lock = {"csrf": before, "action": "/compose", "fields": "draft=2&text=LOCKED&do=emergency"}
    assert (await browser.post("/lock", lock)).headers["location"] == "/kept"
    answer = await browser.post("/compose/live", {"csrf": before, "draft": "3"}, **{"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (403, "/kept")
    page = (await browser.get("/kept")).text
    assert "TYPED" in page
    assert "LOCKED" in page
    assert page.count('action="/compose"') == 3
    assert 'name="do"' not in page

    # and what one person wrote is not another's who signs in at the same browser
    await people.person(Role.DUTY_OFFICER, login="other")
    await browser.post("/sign-in", {**SIGN_IN, "login": "other"})
    assert (await browser.post("/compose", {"csrf": before, "text": "AGAIN"})).status_code == 403
    assert (await browser.get("/kept")).headers["location"] == "/"
    assert (await browser.post("/sign-in", SIGN_IN)).headers["location"] == "/kept"
    assert "AGAIN" in (await browser.get("/kept")).text


async def test_two_tabs_that_lock_lose_neither_form(people: World) -> None:
    browser = await officer(people)
    for action, fields in (("/compose", "draft=1&text=ONE"), ("/compose", "draft=2&text=TWO"), ("/search", "text=q")):
        await browser.post("/lock", {"action": action, "fields": fields})
    await browser.post("/stay")
    await browser.post("/sign-in", SIGN_IN)
    page = (await browser.get("/kept")).text
    assert "ONE" in page
    assert "TWO" in page
    assert page.count('class="primary"') == 2
    await browser.post("/kept/drop", {"action": "/compose", "draft": "1"})
    page = (await browser.get("/kept")).text
    assert "ONE" not in page
    assert "TWO" in page


async def test_what_a_page_could_not_do_is_kept_and_said_so(people: World) -> None:
    # given a key store that is away
    async def away(*_: object, **__: object) -> None:
        raise UnavailableError("E_TOKEN", "the key store is away")

    browser = await officer(people, shifts=SimpleNamespace(give=away))
    answer = await browser.post("/shift", {"do": "hand-over", "note": "MY NOTE"})
    assert answer.status_code == 503
    assert 'href="/kept"' in answer.text
    page = (await browser.get("/kept")).text
    assert "MY NOTE" in page
    assert "Nothing was sent" not in page

    # and whoever signs in next is not led to it
    assert (await browser.post("/sign-in", SIGN_IN)).headers["location"] == "/"


async def test_what_arrives_while_the_database_is_away_is_kept(people: World, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await officer(people)
    await browser.get("/account")

    async def away(*_: object, **__: object) -> None:
        raise UnavailableError("E_STORE", "the database is away")

    with monkeypatch.context() as patch:
        patch.setattr(SignIn, "session", away)
        answer = await browser.post("/compose", {"draft": "1", "text": "TYPED"})
        assert answer.status_code == 503
        assert 'href="/kept"' in answer.text
        forged = await browser.post("/compose", {"text": "FORGED"}, origin="https://evil.example")
        assert 'href="/kept"' not in forged.text
    page = (await browser.get("/kept")).text
    assert "TYPED" in page
    assert "FORGED" not in page


async def test_signing_out_clears_the_browser_and_ends_the_session(people: World) -> None:
    browser = await officer(people)
    token = browser.own_token or ""
    answer = await browser.post("/sign-out")
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert browser.own_token is None
    assert await people.sign_in.session(token) is None


async def test_signing_out_everywhere_ends_the_others_too(people: World) -> None:
    browser = await officer(people)
    other = Browser(people.app(), await people.session("duty"))
    await browser.post("/sign-out", {"everywhere": "yes"})
    answer = await other.get("/account")
    assert answer.headers["location"] == "/sign-in?why=ended&next=%2Faccount"


async def test_another_password_ends_every_session_but_goes_on_in_this_one(people: World) -> None:
    browser = await officer(people)
    other = Browser(people.app(), await people.session("duty"))
    new = "another one of mine"

    # when the old one is wrong, or the new one is not twice the same, nothing changes
    for old, again in (("wrong", new), (PASSWORD, "different from it")):
        form = {"old_password": old, "password": new, "password_again": again}
        assert (await browser.post("/account/password", form)).status_code == 422
    form = {"old_password": PASSWORD, "password": new, "password_again": new}
    assert (await browser.post("/account/password", form)).status_code == 303

    # then
    assert (await browser.get("/account")).status_code == 200
    assert (await other.get("/account")).status_code == 303
    assert await people.sign_in.by_password("duty", new)


async def test_a_script_that_comes_too_late_is_sent_to_sign_in(people: World) -> None:
    browser = await officer(people)
    people.clock.advance(IDLE)
    headers = {"hx-request": "true", "hx-current-url": "https://console.example/inbox?q=1"}
    answer = await browser.get("/inbox", **headers)
    assert answer.status_code == 401
    assert answer.headers["hx-redirect"] == "/sign-in?why=locked&next=%2Finbox%3Fq%3D1"


async def test_too_many_attempts_from_one_address_or_as_one_login_have_to_wait(people: World) -> None:
    await people.person(Role.DUTY_OFFICER, login="duty")
    browser = Browser(people.app())
    statuses = [(await browser.post("/sign-in", {**SIGN_IN, "password": "wrong"})).status_code for _ in range(11)]
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {422}
    others = [(await browser.post("/sign-in", {"login": f"n{n}", "password": "x"})).status_code for n in range(60)]
    assert others[-1] == 429


async def test_forms_of_one_session_are_bounded(people: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_FORMS", 3)
    browser = await officer(people)
    assert [(await browser.post("/stay")).status_code for _ in range(4)] == [204, 204, 204, 429]
    assert (await Browser(people.app(), await people.session("duty")).post("/stay")).status_code == 204
    people.clock.advance(limits.SPAN)
    assert (await browser.post("/stay")).status_code == 204


def test_whoever_was_quiet_for_longest_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_of_web, "MOST_COUNTED", 2)
    limit, now = limits.Limit(1, limits.SPAN), MovedClock().now()
    taken = [limit.take(who, now) for who in ("first", "second", "first", "third", "first", "second")]
    assert taken == [True, True, False, True, False, True]


@pytest.mark.parametrize(
    ("host", "who"),
    [("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", ""), ("unix:", "unix:")],
)
def test_an_ipv6_address_stands_for_its_network(host: str, who: str) -> None:
    assert limits.address_of(host) == who


async def test_where_passwords_are_for_emergencies_each_use_is_in_the_log_and_the_audit(people: World) -> None:
    people.local = LocalAccounts.BREAK_GLASS
    browser = await officer(people)
    assert browser.own_token
    async with people.store.reading() as unit:
        actions = [entry.action for entry in await unit.audit.list(limit=10)]
    assert "account.broke_glass" in actions


async def test_where_passwords_are_refused_nobody_signs_in_with_one(people: World) -> None:
    people.local = LocalAccounts.NONE
    await people.person(Role.DUTY_OFFICER, login="duty")
    assert (await Browser(people.app()).post("/sign-in", SIGN_IN)).status_code == 422


async def test_a_stranger_closes_no_account_that_has_no_password_to_be_guessed(people: World) -> None:
    # given an account of the provider, and one with a password where passwords are refused
    await people.accounts.add(
        "kos", name="A. Kos", roles=["duty_officer"], by="test", contact_point="rs.ncp", subject="https://idp 1"
    )
    await people.person(Role.DUTY_OFFICER, login="duty")
    refused = replace(people.sign_in, local=LocalAccounts.NONE)

    # when somebody tries passwords
    for sign_in, login in ((people.sign_in, "kos"), (refused, "duty")):
        for _ in range(MOST_FAILURES):
            with pytest.raises(RefusedError):
                await sign_in.by_password(login, "a guess")

    # then none is counted, and each attempt is in the log
    for login in ("kos", "duty"):
        account = await people.accounts.get(login)
        assert (account.failures, account.locked_until) == (0, None)
        async with people.store.reading() as unit:
            attempts = [entry.action for entry in await unit.audit.list(subject=login, limit=20)]
        assert attempts.count("session.refused") == MOST_FAILURES


async def test_a_password_that_is_replaced_while_it_is_verified_begins_no_session(people: World) -> None:
    await people.person(Role.DUTY_OFFICER, login="duty")
    verifying, is_replaced = threading.Event(), threading.Event()

    class Slow(PlainPasswords):
        def verify(self, password_hash: str | None, password: str) -> bool:
            verifying.set()
            is_replaced.wait(20)
            return super().verify(password_hash, password)

    signing_in = asyncio.create_task(replace(people.sign_in, passwords=Slow()).by_password("duty", PASSWORD))
    await asyncio.to_thread(verifying.wait, 20)
    await people.accounts.change("duty", by="admin", password="another one of mine")
    is_replaced.set()
    with pytest.raises(RefusedError, match="login and password"):
        await signing_in
    assert await people.sign_in.by_password("duty", "another one of mine")


async def test_attempts_are_counted_by_no_more_than_a_login_can_be(
    people: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []
    monkeypatch.setattr(limits.Limit, "take", lambda _self, who, _now: counted.append(who) or True)
    await Browser(people.app()).post("/sign-in", {"login": "x" * 100_000, "password": "x"})
    assert max(map(len, counted)) == LONGEST_LOGIN


async def test_a_language_is_remembered_by_browser_and_account(people: World) -> None:
    browser = await officer(people)
    await browser.post("/language", {"language": "bg", "next": "/account"})
    assert 'lang="bg"' in (await browser.get("/account")).text
    elsewhere = Browser(people.app(), await people.session("duty"))
    assert 'lang="bg"' in (await elsewhere.get("/account")).text
    assert "native speaker" in (await Browser(people.app()).get("/language")).text


async def test_a_tab_that_leaves_as_another_signs_out_is_not_led_back(people: World) -> None:
    # given a session that the node has not ended yet
    browser = await officer(people)
    assert (await browser.get("/sign-in?next=%2Faccount")).headers["location"] == "/account"

    # then the tab sees the form, as nobody
    answer = await browser.get("/sign-in?why=ended")
    assert answer.status_code == 200
    assert "you signed out elsewhere" in answer.text
    assert "A. B." not in answer.text
