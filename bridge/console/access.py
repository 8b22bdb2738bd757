"""Who may open what: every page of the console, with the permission that it needs. Nothing else is served.

A page that is not in this table does not exist; one without a permission is for everybody, and says why.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.console.visit import SentForm, Visit

Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One address of the console.

    Attributes:
        name: by which templates link to it.
        permission: what it needs; `None`: open to everybody, also to who has not signed in.
        method: GET changes nothing; POST comes from a form of ours.
        is_background: asked for by scripts on their own; it keeps no session awake.
        is_open_while_locked: also for a session that has to be unlocked: to end it.
        written: what its form holds of somebody's work, where that is not the form itself as it was sent here.
        tab: the entry of the main navigation that it belongs to, where that is another page.
    """

    path: str
    name: str
    handler: Handler
    permission: Permission | None
    method: str = "GET"
    is_background: bool = False
    is_open_while_locked: bool = False
    written: Callable[[Visit], SentForm] | None = None
    tab: str = ""


def all_pages() -> Sequence[Page]:
    """Every page, in the order in which addresses are matched."""
    from bridge.console.pages import (  # noqa: PLC0415 - pages know this file
        accounts,
        audit,
        compose,
        corridors,
        front,
        inbox,
        languages,
        live,
        message,
        operations,
        own_account,
        peer_tests,
        provider,
        quarantine,
        release,
        search,
        sent,
        shift,
        signing_in,
    )

    modules = (
        signing_in,
        provider,
        languages,
        front,
        own_account,
        accounts,
        inbox,
        message,
        compose,
        release,
        sent,
        search,
        corridors,
        shift,
        live,
        operations,
        quarantine,
        peer_tests,
        audit,
    )
    return [page for module in modules for page in module.PAGES]
