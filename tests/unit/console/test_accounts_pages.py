"""The administrator's pages: accounts are made, changed and closed; nobody does that to their own."""

from __future__ import annotations

import pytest
from console_world import PASSWORD, Browser, World

from bridge.app.accounts.roles import Role

NEW = {"login": "m.huber", "name": "M. Huber", "role": "duty_officer", "contact_point": "rs.ncp", "password": PASSWORD}


@pytest.fixture
async def administrator(people: World) -> Browser:
    return Browser(people.app(), await people.session(await people.person(Role.ADMINISTRATOR, login="admin")))


async def test_an_account_is_made_and_signs_in(people: World, administrator: Browser) -> None:
    answer = await administrator.post("/accounts/new", NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/accounts/m.huber")
    assert "M. Huber" in (await administrator.get("/accounts")).text
    assert await people.session("m.huber")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("login", "M Huber"),
        ("login", "admin"),
        ("name", " "),
        ("role", "king"),
        ("contact_point", ""),
        ("contact_point", "at.ncp"),
        ("password", "short"),
    ],
)
async def test_a_form_with_a_fault_comes_back_with_what_was_typed(
    administrator: Browser, field: str, value: str
) -> None:
    answer = await administrator.post("/accounts/new", {**NEW, field: value})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert "field wrong" in answer.text
    kept = "m.huber" if field != "login" else "M. Huber"
    assert f'value="{kept}"' in answer.text
    assert PASSWORD not in answer.text


async def test_nobody_is_called_as_the_address_of_this_form(administrator: Browser) -> None:
    form = {"login": "new", "name": "N.", "role": "administrator", "password": "four words and more"}
    answer = await administrator.post("/accounts/new", form)
    assert answer.status_code == 422
    assert "new is taken" in answer.text


async def test_other_roles_end_the_sessions_of_the_account(people: World, administrator: Browser) -> None:
    await administrator.post("/accounts/new", NEW)
    officer = Browser(people.app(), await people.session("m.huber"))
    form = {"role": ["duty_officer", "approver"], "contact_point": "rs.ncp"}
    assert (await administrator.post("/accounts/m.huber/roles", form)).status_code == 303
    assert (await officer.get("/account")).status_code == 303
    assert (await people.accounts.get("m.huber")).roles == ("approver", "duty_officer")


@pytest.mark.parametrize("what", ["password", "disable", "sessions/end"])
async def test_what_an_administrator_does_ends_sessions(people: World, administrator: Browser, what: str) -> None:
    await administrator.post("/accounts/new", NEW)
    officer = Browser(people.app(), await people.session("m.huber"))
    assert (
        await administrator.post(f"/accounts/m.huber/{what}", {"password": "another one of yours"})
    ).status_code == 303
    assert (await officer.get("/account")).status_code == 303


async def test_a_closed_account_opens_again(people: World, administrator: Browser) -> None:
    await administrator.post("/accounts/new", NEW)
    await administrator.post("/accounts/m.huber/disable")
    assert (await Browser(people.app()).post("/sign-in", {"login": "m.huber", "password": PASSWORD})).status_code == 422
    await administrator.post("/accounts/m.huber/enable")
    assert await people.session("m.huber")


@pytest.mark.parametrize("what", ["roles", "password", "disable", "enable", "sessions/end"])
async def test_nobody_changes_their_own_account_here(people: World, administrator: Browser, what: str) -> None:
    form = {"role": "operator", "password": "another one of mine"}
    assert (await administrator.post(f"/accounts/admin/{what}", form)).status_code == 422
    assert (await people.accounts.get("admin")).roles == ("administrator",)
    assert (await administrator.get("/accounts/admin")).status_code == 200


async def test_every_change_is_in_the_audit_log(people: World, administrator: Browser) -> None:
    await administrator.post("/accounts/new", NEW)
    await administrator.post("/accounts/m.huber/disable")
    async with people.store.reading() as unit:
        entries = await unit.audit.list(subject="m.huber", limit=10)
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("admin", "account.disabled"),
        ("admin", "account.added"),
    ]
