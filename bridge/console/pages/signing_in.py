"""Signing in, out, and choosing a language."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from bridge.app.accounts.roles import Permission
from bridge.console.access import Page
from bridge.console.guard.session import drop_token, set_token
from bridge.console.visit import SEE_OTHER, UNPROCESSABLE, Visit
from bridge.core.errors import RefusedError


async def _form(visit: Visit) -> Response:
    return visit.show("sign_in.html", next=_inside(visit.query("next")), login="", error=None)


async def _sign_in(visit: Visit) -> Response:
    wanted, login = _inside(visit.field("next")), visit.field("login").strip()
    try:
        token = await visit.parts.sign_in.by_password(login, visit.field("password"))
    except RefusedError as error:
        return visit.show("sign_in.html", status=UNPROCESSABLE, next=wanted, login=login, error=error)
    response = RedirectResponse(wanted, SEE_OTHER)
    set_token(response, token, visit.parts.country)
    return response


async def _sign_out(visit: Visit) -> Response:
    if visit.signed_in is not None:
        await visit.parts.sign_in.sign_out(visit.signed_in)
    response = visit.go("sign_in")
    drop_token(response, visit.parts.country)
    return response


def _inside(address: str) -> str:
    """Where to go afterwards: a path of ours, whatever the address bar says."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_ours else "/"


PAGES: Final = (
    Page("/sign-in", "sign_in", _form, None),  # or nobody could
    Page("/sign-in", "sign_in_now", _sign_in, None, "POST"),
    Page("/sign-out", "sign_out", _sign_out, Permission.OWN_ACCOUNT, "POST"),
)
