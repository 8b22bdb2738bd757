"""The inbox: what needs action, what is in progress, what is for information."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.console.access import Page
from bridge.console.visit import Visit


async def _inbox(visit: Visit) -> Response:
    async with visit.parts.store.reading() as unit:
        items = await unit.inbox.list(contact_point=visit.contact_point, limit=50)
    return visit.show("inbox.html", items=items)


PAGES: Final = (Page("/inbox", "inbox", _inbox, Permission.READ_MESSAGES),)
