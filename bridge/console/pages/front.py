"""The front page: whoever has signed in goes on to what their role is for."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.console.access import Page
from bridge.console.visit import Visit

_FIRST: Final = (
    (Permission.READ_MESSAGES, "inbox"),
    (Permission.WATCH_NODE, "operations"),
    (Permission.MANAGE_ACCOUNTS, "accounts"),
)


async def _front(visit: Visit) -> Response:
    for permission, name in _FIRST:
        if visit.person.may(permission):
            return visit.go(name)
    return visit.show("nothing_here.html")


PAGES: Final = (Page("/", "front", _front, Permission.OWN_ACCOUNT),)
