"""The inbox: what needs action, what is in progress, what is for information."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.console.access import Page
from bridge.console.visit import Visit
from bridge.core.errors import BadInputError

MOST_CHIPS: Final = 8
MESSAGE_AT: Final = "/message/{sender}/{message_id}"
_LARGEST: Final = 2**62


async def _inbox(visit: Visit) -> Response:
    board = await board_of(visit, before=_position(visit.query("before")))
    return visit.show("board.html" if visit.is_fragment else "inbox.html", status=200, **board)


async def board_of(visit: Visit, *, before: int | None = None) -> Mapping[str, object]:
    """What the template `board.html` shows; the look is logged."""
    board = await visit.parts.board.show(visit.contact_point, officer=visit.person.login, before=before)
    entries = [entry for page in board.groups.values() for entry in page]
    countries = {code for entry in entries if entry.heading for code, _ in entry.heading.countries[:MOST_CHIPS]}
    return {
        "board": board,
        "address_of": MESSAGE_AT.format,  # the router would go through all of its routes for every line
        "most_chips": MOST_CHIPS,
        "is_first": before is None,
        "names_kosovo": "XK" in countries,
        "names": await names_of(visit),
        "chosen": (visit.request.path_params.get("sender"), visit.request.path_params.get("message_id")),
    }


async def names_of(visit: Visit) -> Mapping[str, str]:
    """Login -> name, of everybody who may sign in here."""
    return {account.login: account.name for account in await visit.parts.accounts.all()}


def _position(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text) > _LARGEST:
        raise BadInputError("E_CURSOR", "before: expected the position that the link before had")
    return int(text)


PAGES: Final = (Page("/inbox", "inbox", _inbox, Permission.READ_MESSAGES),)
