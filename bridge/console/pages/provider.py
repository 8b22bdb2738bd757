"""Signing in at the identity provider, and coming back from it.

The way there is a link: a form that ends elsewhere is against our own policy. What the browser keeps meanwhile is
a cookie that comes along when the provider sends it back; the session's own never does, so the page after it is
opened by a page of ours.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog
from starlette.responses import RedirectResponse, Response

from bridge.app.accounts.elsewhere import BEGUN_FOR, SignInElsewhere
from bridge.console.access import Page
from bridge.console.guard.limits import address_of
from bridge.console.guard.session import cookie_name, token_in
from bridge.console.pages.signing_in import begin, path_inside, show_sign_in
from bridge.console.visit import SEE_OTHER, Visit
from bridge.core.errors import BridgeError, RefusedError, UnavailableError

LONGEST_ANSWER: Final = 4096
BACK: Final = "/sign-in/back"

_log = structlog.get_logger()


async def _begin(visit: Visit) -> Response:
    host = visit.request.client.host if visit.request.client else ""
    if not visit.limits.address.take(address_of(host), visit.parts.clock.now()):
        return visit.too_many()
    wanted = path_inside(visit.query("next"))
    before = token_in(visit.request, visit.parts.country) if visit.signed_in is not None else None
    try:
        address, kept = await _provider(visit).begin(wanted, before or "")
    except UnavailableError as error:
        return show_sign_in(visit, wanted=wanted, error=error, status=503)
    response = RedirectResponse(address, SEE_OTHER)
    response.set_cookie(
        _cookie(visit),
        kept,
        max_age=int(BEGUN_FOR.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="lax",
    )
    return response


async def _back(visit: Visit) -> Response:
    answer = {name: visit.query(name)[:LONGEST_ANSWER] for name in ("state", "code", "iss")}
    try:
        if not answer["code"]:
            raise RefusedError("E_PROVIDER_ANSWER", "the identity provider signed nobody in")
        token, login, begun = await _provider(visit).finish(
            visit.request.cookies.get(_cookie(visit), ""),
            state=answer["state"],
            code=answer["code"],
            issuer=answer["iss"] or None,
        )
    except BridgeError as error:
        _log.warning("session.refused", code=error.code, reason=error.message)
        response = show_sign_in(visit, error=error, status=403 if isinstance(error, RefusedError) else 503)
    else:
        if begun.before:
            visit = replace(visit, signed_in=await visit.parts.sign_in.session(begun.before, is_use=False))
        response = await begin(visit, token, login=login, wanted=begun.wanted, is_from_elsewhere=True)
    response.delete_cookie(_cookie(visit), path="/", secure=True, httponly=True, samesite="lax")
    return response


def _provider(visit: Visit) -> SignInElsewhere:
    if visit.parts.elsewhere is None:
        raise RefusedError("E_PROVIDER", "this node has no identity provider: [console.oidc]")
    return visit.parts.elsewhere


def _cookie(visit: Visit) -> str:
    return f"{cookie_name(visit.parts.country)}-elsewhere"


PAGES: Final = (
    Page("/sign-in/elsewhere", "sign_in_elsewhere", _begin, None),  # or nobody could
    Page(BACK, "back_from_elsewhere", _back, None),  # the provider sends people there
)
