"""The one door: every request is answered here, or goes on to the page that it named.

Rules, in this order:
1. A request that changes something comes from our own origin (`Sec-Fetch-Site`, else `Origin`), and is one of a bounded
   number in its session.
2. A form is at most 256 KiB and 2,000 fields, and arrives within 30 seconds.
3. A page that needs a permission needs a session; whoever has none is sent to sign in, and comes back.
4. A form of a session carries the session's token. With the token of another session that was seen here within the
   hour, ended or not, it is not done, but kept for the person of that session, without the button that was pressed:
   who has nothing but the token of an ended session puts nothing before its person that a click would send.
5. A session in use: whose is locked signs in again; the form that arrived with the right token is kept for its person.
   So is one that a page failed to do, and one that arrives when nobody can be known because the database is away.
6. The permission is one that the person's roles allow, or the answer is 403: said to people, logged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urlencode, urlsplit

import structlog
from jinja2 import Environment
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from bridge.app.accounts.sign_in import SignedIn
from bridge.console.access import Page
from bridge.console.guard.kept import KeptForms
from bridge.console.guard.limits import Limits
from bridge.console.guard.session import form_token, token_in
from bridge.console.language import Words, choose_language, words_of
from bridge.console.parts import Parts
from bridge.console.visit import LONGEST_FORM, SEE_OTHER, SentForm, Visit, read_fields
from bridge.core.errors import BadInputError, BridgeError, RefusedError, UnavailableError

FORBIDDEN: Final = 403
UNAUTHORISED: Final = 401
NOT_FOUND: Final = 404
FORM_SECONDS: Final = 30.0
LANGUAGE_COOKIE: Final = "language"
BUTTON: Final = "do"
"""The name of buttons that do what cannot be taken back: without it a page shows its form once more."""
BACKGROUND: Final = "ncp-background"
"""The header of what a script asks for on its own: it keeps no session awake."""
_STATUS: Final[Mapping[type[BridgeError], int]] = {
    BadInputError: 422,
    RefusedError: 409,
    UnavailableError: 503,
    BridgeError: 500,
}
_BROKEN: Final = BridgeError("E_INTERNAL", "something went wrong here; it is in the node's log")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Door:
    """Lets a request through to a page, or says why not."""

    parts: Parts
    templates: Environment
    limits: Limits = field(default_factory=Limits)
    kept: KeptForms = field(default_factory=KeptForms)

    async def answer(self, request: Request, page: Page) -> Response:
        """The page's answer."""
        request.scope["ncp_page"], request.scope["ncp_tab"] = page.name, page.tab or page.name
        try:
            visit = await self._visit(request, is_use=not page.is_background and BACKGROUND not in request.headers)
        except UnavailableError:
            await self._keep_unseen(request, page)
            raise
        if page.method == "POST":
            refusal = self._refuse_unasked(visit)
            received = refusal or await self._receive(visit)
            if isinstance(received, Response):
                return received
            visit = received
        refusal = self._refuse_stranger(visit, page)
        if refusal is not None:
            return refusal
        return await self._handle(visit, page)

    async def nothing_there(self, request: Request) -> Response:
        """The answer where there is no such page."""
        visit = await self._visit(request, is_use=False)
        return visit.show("no_page.html", status=NOT_FOUND)

    def failed(self, request: Request, error: Exception) -> Response:
        """The answer where a page broke, or the database is away: for nobody in particular, and without its words."""
        shown = error if isinstance(error, UnavailableError) else _BROKEN
        visit = self._visit_of(request, None, None)
        return visit.show("failed.html", status=503 if shown is error else 500, error=shown)

    async def _visit(self, request: Request, *, is_use: bool) -> Visit:
        token = token_in(request, self.parts.country)
        signed_in = await self.parts.sign_in.session(token, is_use=is_use) if token else None
        visit = self._visit_of(request, token, signed_in)
        if signed_in is not None:
            self.kept.know(visit.csrf, signed_in.person.login, self.parts.clock.now())
        return visit

    def _visit_of(self, request: Request, token: str | None, signed_in: SignedIn | None) -> Visit:
        return Visit(
            request=request,
            parts=self.parts,
            words=self._words(request, signed_in),
            templates=self.templates,
            signed_in=signed_in,
            csrf=form_token(token) if token and signed_in else "",
            form=FormData(),
            limits=self.limits,
            kept=self.kept,
        )

    def _refuse_unasked(self, visit: Visit) -> Response | None:
        """Rule 1."""
        headers = visit.request.headers
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        is_ours = origin == self.parts.origin or (origin is None and site is not None)
        if not is_ours or site not in {None, "same-origin", "none"}:
            _log.warning("form.refused", page=visit.page, reason="origin")
            return visit.show("refused.html", status=FORBIDDEN, reason="origin")
        who = visit.signed_in.digest.hex() if visit.signed_in else ""
        if who and not self.limits.session.take(who, self.parts.clock.now()):
            return visit.too_many()
        return None

    async def _receive(self, visit: Visit) -> Visit | Response:
        """Rule 2."""
        body = b""
        try:
            async with asyncio.timeout(FORM_SECONDS):
                async for part in visit.request.stream():
                    body += part
                    if len(body) > LONGEST_FORM:
                        return visit.show("refused.html", status=413, reason="size")
            return replace(visit, form=read_fields(body))
        except (ValueError, ClientDisconnect):
            return visit.show("refused.html", status=422, reason="form")
        except TimeoutError:
            return visit.show("refused.html", status=408, reason="form")

    def _refuse_stranger(self, visit: Visit, page: Page) -> Response | None:
        """Rules 3 to 6."""
        if page.permission is None:
            return None
        signed_in = visit.signed_in
        if page.method == "POST" and not visit.has_token:
            return self._refuse_token(visit, page)
        if signed_in is None:
            return self._to_sign_in(visit, page)
        if signed_in.is_locked and not page.is_open_while_locked:
            if page.method == "POST":
                visit.keep_form(visit.person.login, _written(visit, page))
            return self._to_sign_in(visit, page)
        if not visit.person.may(page.permission):
            _log.warning("page.refused", page=page.name, login=visit.person.login)
            return visit.show("refused.html", status=FORBIDDEN, reason="permission")
        return None

    def _refuse_token(self, visit: Visit, page: Page) -> Response:
        """Rule 4; whose own form it was goes on from what is kept."""
        owner = self.kept.owner(visit.given_token, self.parts.clock.now())
        is_kept = owner is not None and visit.keep_form(owner, _unpressed(_written(visit, page)))
        if visit.signed_in is None:
            return self._to_sign_in(visit, page)
        if not is_kept or owner != visit.person.login:
            _log.warning("form.refused", page=page.name, reason="token")
            return visit.show("refused.html", status=FORBIDDEN, reason="token")
        if visit.signed_in.is_locked:
            return self._to_sign_in(visit, page)
        if visit.is_fragment:
            address = str(visit.request.app.url_path_for("kept"))
            return Response(status_code=FORBIDDEN, headers={"HX-Redirect": address})
        return visit.go("kept")

    async def _keep_unseen(self, request: Request, page: Page) -> None:
        visit = self._visit_of(request, None, None)
        if page.method != "POST" or page.permission is None or self._refuse_unasked(visit) is not None:
            return
        received = await self._receive(visit)
        if isinstance(received, Visit):
            owner = self.kept.owner(received.given_token, self.parts.clock.now())
            if owner is not None:
                received.keep_form(owner, _unpressed(_written(received, page)))

    async def _handle(self, visit: Visit, page: Page) -> Response:
        login = visit.person.login if page.method == "POST" and visit.signed_in is not None else None
        try:
            response = await page.handler(visit)
        except Exception as error:
            if login is not None and not visit.is_fragment:
                visit.keep_form(login, _written(visit, page), was_tried=True)
            if not isinstance(error, BridgeError):
                raise
            status = next(known for kind, known in _STATUS.items() if isinstance(error, kind))
            return visit.show("failed.html", status=status, error=error)
        if login is not None:
            self.kept.done(login, visit.request.url.path, visit.fields)
        return response

    def _to_sign_in(self, visit: Visit, page: Page) -> Response:
        request = visit.request
        query = {}
        if visit.signed_in is not None:
            query["why"] = "locked"
        elif token_in(request, self.parts.country):
            query["why"] = "ended"
        back = request.headers.get("hx-current-url", "") if visit.is_fragment else str(request.url)
        wanted = urlsplit(back)
        if (visit.is_fragment or page.method == "GET") and wanted.path not in {"", "/"}:
            query["next"] = wanted.path + (f"?{wanted.query}" if wanted.query else "")
        address = request.app.url_path_for("sign_in") + (f"?{urlencode(query)}" if query else "")
        if visit.is_fragment:
            return Response(status_code=UNAUTHORISED, headers={"HX-Redirect": address})
        if page.is_background:
            return Response(status_code=UNAUTHORISED)
        return RedirectResponse(address, SEE_OTHER)

    def _words(self, request: Request, signed_in: SignedIn | None) -> Words:
        own = signed_in.person.language if signed_in else None
        language = choose_language(own or request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
        return words_of(language.tag, self.parts.time_zone)


def _written(visit: Visit, page: Page) -> SentForm:
    return page.written(visit) if page.written is not None else (visit.request.url.path, visit.fields)


def _unpressed(sent: SentForm) -> SentForm:
    action, fields = sent
    return action, [(name, value) for name, value in fields if name != BUTTON]
