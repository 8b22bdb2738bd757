"""The one door: every request is answered here, or goes on to the page that it named.

Rules, in this order:
1. A request that changes something comes from our own origin (`Sec-Fetch-Site`, else `Origin`) and carries the
   session's form token.
2. A page that needs a permission needs a session in use; whoever has none is sent to sign in, and comes back.
3. The permission is one that the person's roles allow, or the answer is 403: said to people, logged.
4. A form is at most 256 KiB and 2,000 fields.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

import structlog
from jinja2 import Environment
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from bridge.app.accounts.sign_in import SignedIn
from bridge.console.access import Page
from bridge.console.guard.headers import PAGE_HEADERS, UNCACHED
from bridge.console.guard.session import form_token, token_in
from bridge.console.language import Words, choose_language, words_of
from bridge.console.parts import Parts
from bridge.console.visit import LONGEST_FORM, SEE_OTHER, Visit, read_fields
from bridge.core.errors import BadInputError, BridgeError, RefusedError, UnavailableError

FORBIDDEN: Final = 403
_STATUS: Final[Mapping[type[BridgeError], int]] = {BadInputError: 422, RefusedError: 409, UnavailableError: 503}
LANGUAGE_COOKIE: Final = "language"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Door:
    """Lets a request through to a page, or says why not."""

    parts: Parts
    templates: Environment

    async def answer(self, request: Request, page: Page) -> Response:
        """The page's answer, with the headers that all have."""
        request.scope["ncp_page"], request.scope["ncp_tab"] = page.name, page.tab or page.name
        response = await self._admit(request, page)
        response.headers.update({**PAGE_HEADERS, **UNCACHED})
        return response

    async def _admit(self, request: Request, page: Page) -> Response:
        token = token_in(request, self.parts.country)
        signed_in = await self.parts.sign_in.session(token) if token else None
        csrf = form_token(token) if token and signed_in else ""
        visit = Visit(request, self.parts, self._words(request, signed_in), self.templates, signed_in, csrf, FormData())
        if page.method == "POST":
            refusal = await self._receive(visit, page)
            if isinstance(refusal, Response):
                return refusal
            visit = refusal
        if page.permission is not None:
            if signed_in is None or signed_in.is_locked:
                return self._to_sign_in(request)
            if not visit.person.may(page.permission):
                _log.warning("page.refused", page=page.name, login=visit.person.login)
                return visit.show("refused.html", status=FORBIDDEN, reason="permission")
        return await self._handle(visit, page)

    async def _handle(self, visit: Visit, page: Page) -> Response:
        try:
            return await page.handler(visit)
        except BridgeError as error:
            status = next((known for kind, known in _STATUS.items() if isinstance(error, kind)), 500)
            return visit.show("failed.html", status=status, error=error)

    async def _receive(self, visit: Visit, page: Page) -> Visit | Response:
        request = visit.request
        if not self._is_from_here(request):
            return visit.show("refused.html", status=FORBIDDEN, reason="origin")
        body = b""
        try:
            async for part in request.stream():
                body += part
                if len(body) > LONGEST_FORM:
                    return visit.show("refused.html", status=413, reason="size")
            form = read_fields(body)
        except (ValueError, ClientDisconnect):
            return visit.show("refused.html", status=422, reason="form")
        received = Visit(request, visit.parts, visit.words, visit.templates, visit.signed_in, visit.csrf, form)
        if page.permission is not None and visit.signed_in is not None:
            given = received.field("csrf") or request.headers.get("x-csrf-token", "")
            if not hmac.compare_digest(given.encode(), visit.csrf.encode()):
                return visit.show("refused.html", status=FORBIDDEN, reason="token")
        return received

    def _is_from_here(self, request: Request) -> bool:
        site = request.headers.get("sec-fetch-site")
        if site is not None and site not in {"same-origin", "none"}:
            return False
        origin = request.headers.get("origin")
        return (origin is None and site is not None) or origin == self.parts.origin

    def _to_sign_in(self, request: Request) -> Response:
        address = request.app.url_path_for("sign_in")
        wanted = urlsplit(str(request.url))
        back = wanted.path + (f"?{wanted.query}" if wanted.query else "")
        if request.headers.get("hx-request") == "true":
            return Response(status_code=401, headers={"HX-Redirect": address})
        if request.method == "GET" and back != "/":
            address = f"{address}?next={quote(back, safe='')}"
        return RedirectResponse(address, SEE_OTHER)

    def _words(self, request: Request, signed_in: SignedIn | None) -> Words:
        own = signed_in.person.language if signed_in else None
        language = choose_language(own or request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language"))
        return words_of(language.tag, self.parts.time_zone)
