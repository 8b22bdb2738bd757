"""Searching: words in any text of a message, codes, and what kind of message it was and when."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.desk.search import Found, Query
from bridge.console.access import Page
from bridge.console.pages.inbox import MOST_CHIPS
from bridge.console.visit import UNPROCESSABLE, Visit
from bridge.core.countries import COUNTRY_CODES
from bridge.core.errors import BadInputError
from bridge.core.vocabulary import CODE_LISTS, SEALED_KINDS

_CODES: Final = {"country": COUNTRY_CODES, "exploitation": frozenset(CODE_LISTS["exploitation"])}


async def _search(visit: Visit) -> Response:
    return _page(visit)


async def _find(visit: Visit) -> Response:
    """By a form that is sent, not by an address: what is searched for stands in no history and no proxy's log."""
    try:
        query = _query(visit)
        found = await visit.parts.search.find(visit.contact_point, query, officer=visit.person.login)
    except BadInputError as error:
        return _page(visit, status=UNPROCESSABLE, wrong=error.path or "text")
    return _page(visit, found=found)


def _query(visit: Visit) -> Query:
    codes = [visit.field(name) for name, known in _CODES.items() if visit.field(name) in known]
    kind, urgency = visit.field("kind"), visit.field("urgency")
    since, until = _day(visit, "since"), _day(visit, "until")
    return Query(
        text=visit.field("text").strip(),
        codes=tuple(codes),
        kind=kind if kind in SEALED_KINDS else None,
        urgency=urgency if urgency in CODE_LISTS["urgency"] else None,
        since=since,
        until=until + timedelta(days=1) if until is not None else None,
    )


def _day(visit: Visit, name: str) -> datetime | None:
    """The beginning of a day where the contact point is."""
    given = visit.field(name).strip()
    if not given:
        return None
    try:
        return datetime.combine(date.fromisoformat(given), time(), ZoneInfo(visit.parts.time_zone))
    except ValueError:
        raise BadInputError("E_SEARCH", f"{name}: expected a day like 2026-11-23", path=name) from None


def _page(visit: Visit, *, status: int = 200, wrong: str = "", found: Found | None = None) -> Response:
    words = visit.words
    return visit.show(
        "search.html",
        status=status,
        wrong=wrong,
        found=found,
        most_chips=MOST_CHIPS,
        kinds=SEALED_KINDS,
        urgencies=CODE_LISTS["urgency"],
        forms=CODE_LISTS["exploitation"],
        countries=sorted(COUNTRY_CODES, key=words.country),
    )


PAGES: Final = (
    Page("/search", "search", _search, Permission.READ_MESSAGES),
    Page("/search", "find", _find, Permission.READ_MESSAGES, "POST", tab="search"),
)
