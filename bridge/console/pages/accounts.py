"""The administrator's pages: who may sign in, as what. Nobody changes or closes their own account here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from bridge.app.accounts.passwords import SHORTEST_PASSWORD
from bridge.app.accounts.roles import Permission, Role
from bridge.console.access import Page
from bridge.console.visit import UNPROCESSABLE, Visit
from bridge.core.errors import BadInputError, RefusedError


async def _list(visit: Visit) -> Response:
    return visit.show("accounts.html", accounts=await visit.parts.accounts.all())


async def _form(visit: Visit) -> Response:
    return _show_form(visit)


async def _add(visit: Visit) -> Response:
    login = visit.field("login").strip()
    try:
        await visit.parts.accounts.add(
            login,
            name=visit.field("name"),
            roles=_roles(visit),
            by=visit.person.login,
            contact_point=visit.field("contact_point") or None,
            password=visit.field("password"),
        )
    except BadInputError as error:
        return _show_form(visit, error)
    return visit.go("account", login=login)


async def _account(visit: Visit) -> Response:
    return await _show(visit)


async def _change(visit: Visit) -> Response:
    return await _do(visit, "roles")


async def _password(visit: Visit) -> Response:
    return await _do(visit, "password")


async def _disable(visit: Visit) -> Response:
    return await _do(visit, "disable")


async def _enable(visit: Visit) -> Response:
    return await _do(visit, "enable")


async def _end(visit: Visit) -> Response:
    return await _do(visit, "end")


async def _do(visit: Visit, what: str) -> Response:
    accounts, login, by = visit.parts.accounts, visit.request.path_params["login"], visit.person.login
    if login == by:
        own = RefusedError("E_OWN_ACCOUNT", "another administrator changes your account", path="login")
        return await _show(visit, own)
    try:
        if what == "roles":
            point = visit.field("contact_point") or None
            await accounts.change(login, by=by, roles=_roles(visit), contact_point=point)
        elif what == "password":
            await accounts.change(login, by=by, password=visit.field("password"))
        elif what == "disable":
            await accounts.disable(login, by=by)
        elif what == "enable":
            await accounts.enable(login, by=by)
        else:
            await accounts.end_sessions(login, by=by)
    except BadInputError as error:
        return await _show(visit, error)
    return visit.go("account", login=login, query={"done": what})


async def _show(visit: Visit, error: BadInputError | RefusedError | None = None) -> Response:
    account = await visit.parts.accounts.get(visit.request.path_params["login"])
    sessions = await visit.parts.accounts.sessions(account.login)
    values: Mapping[str, object] = {"roles": account.roles, "contact_point": account.contact_point or ""}
    if error is not None and visit.field("role"):
        values = {"roles": _roles(visit), "contact_point": visit.field("contact_point")}
    return visit.show(
        "account.html",
        status=UNPROCESSABLE if error else 200,
        account=account,
        sessions=sessions,
        error=error,
        done=visit.query("done"),
        **_choices(visit, values),
    )


def _show_form(visit: Visit, error: BadInputError | None = None) -> Response:
    values: Mapping[str, object] = {
        "login": visit.field("login"),
        "name": visit.field("name"),
        "roles": _roles(visit),
        "contact_point": visit.field("contact_point", visit.parts.hosted[0] if len(visit.parts.hosted) == 1 else ""),
    }
    status = UNPROCESSABLE if error else 200
    return visit.show("account_new.html", status=status, error=error, **_choices(visit, values))


def _choices(visit: Visit, values: Mapping[str, object]) -> dict[str, object]:
    return {"values": values, "all_roles": list(Role), "hosted": visit.parts.hosted, "shortest": SHORTEST_PASSWORD}


def _roles(visit: Visit) -> list[str]:
    return [value for name, value in visit.fields if name == "role"]


_NEEDED: Final = Permission.MANAGE_ACCOUNTS
PAGES: Final = (
    Page("/accounts", "accounts", _list, _NEEDED),
    Page("/accounts/new", "account_form", _form, _NEEDED, tab="accounts"),
    Page("/accounts/new", "add_account", _add, _NEEDED, "POST", tab="accounts"),
    Page("/accounts/{login}", "account", _account, _NEEDED, tab="accounts"),
    Page("/accounts/{login}/roles", "change_account", _change, _NEEDED, "POST", tab="accounts"),
    Page("/accounts/{login}/password", "set_password", _password, _NEEDED, "POST", tab="accounts"),
    Page("/accounts/{login}/disable", "disable_account", _disable, _NEEDED, "POST", tab="accounts"),
    Page("/accounts/{login}/enable", "enable_account", _enable, _NEEDED, "POST", tab="accounts"),
    Page("/accounts/{login}/sessions/end", "end_account_sessions", _end, _NEEDED, "POST", tab="accounts"),
)
