"""Signing in and out, the lock of a session that nobody uses, and the form that was under way when it locked."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import RedirectResponse, Response

from bridge.app.accounts.manage import LONGEST_LOGIN
from bridge.app.accounts.roles import Permission
from bridge.app.accounts.sign_in import ELSEWHERE, LONGEST_SESSION
from bridge.console.access import Page
from bridge.console.guard.limits import address_of
from bridge.console.guard.session import drop_token, set_token
from bridge.console.visit import MOST_FIELDS, SEE_OTHER, UNPROCESSABLE, SentForm, Visit
from bridge.core.errors import BridgeError, RefusedError

NO_CONTENT: Final = 204
ENDED: Final = "ended"
LONGEST_ADDRESS: Final = 2000
_CLEARED: Final = '"cache", "storage"'  # not "cookies": other consoles on the same host have theirs


async def _form(visit: Visit) -> Response:
    """The form, and for who is signed in the page wanted.

    Another tab that signs out says so as it asks for it: its session may still be there when this one comes here, and
    must not lead it back.
    """
    wanted, why = path_inside(visit.query("next")), visit.query("why")
    if why == ENDED:
        return show_sign_in(replace(visit, signed_in=None, csrf=""), wanted=wanted, why=why)
    if visit.signed_in is not None and not visit.signed_in.is_locked:
        return RedirectResponse(wanted, SEE_OTHER)
    return show_sign_in(visit, wanted=wanted, why=why)


async def _sign_in(visit: Visit) -> Response:
    wanted, login = path_inside(visit.field("next")), visit.field("login").strip().lower()[:LONGEST_LOGIN]
    host = visit.request.client.host if visit.request.client else ""
    now = visit.parts.clock.now()
    if not (visit.limits.address.take(address_of(host), now) and visit.limits.login.take(login, now)):
        return visit.too_many()
    try:
        token = await visit.parts.sign_in.by_password(login, visit.field("password"))
    except RefusedError as error:
        return show_sign_in(visit, wanted=wanted, login=login, error=error, status=UNPROCESSABLE)
    return await begin(visit, token, login=login, wanted=wanted)


async def _sign_out(visit: Visit) -> Response:
    if visit.signed_in is not None:
        await visit.parts.sign_in.sign_out(visit.signed_in, everywhere=bool(visit.field("everywhere")))
    visit.kept.drop(visit.person.login)
    response = await _after_signing_out(visit)
    drop_token(response, visit.parts.country)
    response.headers["Clear-Site-Data"] = _CLEARED
    return response


async def _after_signing_out(visit: Visit) -> Response:
    """Who came from the identity provider leaves there too, or the next one at this browser comes in by a click."""
    elsewhere = visit.parts.elsewhere
    if elsewhere is None or visit.signed_in is None or visit.signed_in.by != ELSEWHERE:
        return visit.go("sign_in")
    place = await elsewhere.provider.leaving()
    return replace(visit, signed_in=None, csrf="").show("signed_out.html", place=place)


async def _lock(visit: Visit) -> Response:
    """The browser saw nobody at it: the session is locked, the form that was under way is kept."""
    visit.keep_form(visit.person.login, _under_way(visit))
    if visit.signed_in is not None:
        await visit.parts.sign_in.lock(visit.signed_in)
    return visit.go("sign_in", query={"why": "locked", "next": path_inside(visit.field("next"))})


def _under_way(visit: Visit) -> SentForm:
    try:
        fields = parse_qsl(visit.field("fields"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        fields = []
    action = path_inside(visit.field("action"))
    return action, fields if action != "/" else []


async def _stay(_visit: Visit) -> Response:
    """Somebody types: the door has noted it."""
    return Response(status_code=NO_CONTENT)


async def _kept(visit: Visit) -> Response:
    kept = visit.kept.of(visit.person.login, visit.parts.clock.now())
    return visit.show("kept.html", kept=kept) if kept else visit.go("front")


async def _drop_kept(visit: Visit) -> Response:
    visit.kept.done(visit.person.login, visit.field("action"), visit.fields)
    return visit.go("kept")


def show_sign_in(
    visit: Visit,
    *,
    wanted: str = "/",
    why: str = "",
    login: str = "",
    error: BridgeError | None = None,
    status: int = 200,
) -> Response:
    """The sign-in page."""
    hours = int(LONGEST_SESSION.total_seconds() // 3600)
    minutes = int(visit.parts.idle.total_seconds() // 60)
    return visit.show(
        "sign_in.html",
        status=status,
        next=wanted,
        back=urlencode({"next": wanted}),
        why=why,
        login=login,
        error=error,
        minutes=minutes,
        hours=hours,
        has_provider=visit.parts.elsewhere is not None,
        local=visit.parts.sign_in.local,
    )


async def begin(visit: Visit, token: str, *, login: str, wanted: str, is_from_elsewhere: bool = False) -> Response:
    """The answer that begins a session in a browser; the one that was there ends.

    Who comes from elsewhere goes on from a page of ours: what another origin began carries no session.
    """
    if visit.signed_in is not None:
        await visit.parts.sign_in.sign_out(visit.signed_in)
    if any(not form.was_tried for form in visit.kept.of(login, visit.parts.clock.now())):
        wanted = str(visit.request.app.url_path_for("kept"))
    response: Response = RedirectResponse(wanted, SEE_OTHER)
    if is_from_elsewhere:
        response = replace(visit, signed_in=None, csrf="").show("signed_in.html", wanted=wanted)
    set_token(response, token, visit.parts.country)
    return response


def path_inside(address: str) -> str:
    """Where to go afterwards: a path of ours, whatever the address bar says."""
    is_ours = (
        len(address) <= LONGEST_ADDRESS
        and address.startswith("/")
        and not address.startswith("//")
        and "\\" not in address
        and address.isascii()
        and address.isprintable()
        and not urlsplit(address).netloc
    )
    return address if is_ours else "/"


PAGES: Final = (
    Page("/sign-in", "sign_in", _form, None),  # or nobody could
    Page("/sign-in", "sign_in_now", _sign_in, None, "POST"),
    Page("/sign-out", "sign_out", _sign_out, Permission.OWN_ACCOUNT, "POST", is_open_while_locked=True),
    Page("/lock", "lock", _lock, Permission.OWN_ACCOUNT, "POST", is_open_while_locked=True, written=_under_way),
    Page("/stay", "stay", _stay, Permission.OWN_ACCOUNT, "POST"),
    Page("/kept", "kept", _kept, Permission.OWN_ACCOUNT),
    Page("/kept/drop", "drop_kept", _drop_kept, Permission.OWN_ACCOUNT, "POST"),
)
