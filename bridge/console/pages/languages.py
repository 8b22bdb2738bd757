"""Choosing a language: for the browser, and for the account of who is signed in."""

from __future__ import annotations

from typing import Final

from starlette.responses import RedirectResponse, Response

from bridge.console.access import Page
from bridge.console.guard.door import LANGUAGE_COOKIE
from bridge.console.language import LANGUAGES
from bridge.console.pages.signing_in import path_inside
from bridge.console.visit import SEE_OTHER, Visit

_A_YEAR: Final = 365 * 24 * 3600


async def _languages(visit: Visit) -> Response:
    return visit.show("languages.html", languages=LANGUAGES, next=path_inside(visit.query("next")))


async def _choose(visit: Visit) -> Response:
    tag = visit.field("language")
    if tag in {language.tag for language in LANGUAGES}:
        if visit.signed_in is not None and visit.has_token:
            await visit.parts.sign_in.choose_language(visit.person.login, tag)
    else:
        tag = visit.words.tag
    response = RedirectResponse(path_inside(visit.field("next")), SEE_OTHER)
    response.set_cookie(LANGUAGE_COOKIE, tag, max_age=_A_YEAR, path="/", httponly=True, samesite="lax")
    return response


PAGES: Final = (
    Page("/language", "languages", _languages, None),  # also for who reads no English and has not signed in
    Page("/language", "choose_language", _choose, None, "POST"),
)
