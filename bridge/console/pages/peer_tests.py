"""A signed test message to a peer, and how far it has come."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.operating.try_peer import TESTED
from bridge.console.access import Page
from bridge.console.visit import Visit
from bridge.core.errors import BadInputError


async def _send(visit: Visit) -> Response:
    """From the contact point of the person, or the first of the node."""
    sender = visit.person.contact_point or visit.parts.hosted[0]
    submitted = await visit.parts.test_peer.send(visit.field("peer"), sender=sender, by=visit.person.login)
    return visit.go("peer_test", id=submitted.id)


async def _way(visit: Visit) -> Response:
    """Only of test messages: whose way a real one went is content's neighbour, and no operator's."""
    message_id = visit.request.path_params["id"]
    async with visit.parts.store.reading() as unit:
        is_test = await unit.audit.list(subject=message_id, action=TESTED, limit=1)
        message = await unit.ledger.get(message_id) if is_test else None
    if message is None:
        raise BadInputError("E_UNKNOWN_MESSAGE", f"no test message {message_id} was sent from this node")
    return visit.show("peer_test.html", message=message, to=message.recipients[0])


PAGES: Final = (
    Page("/operations/tests", "test_peer", _send, Permission.WORK_ON_NODE, "POST", tab="operations"),
    Page("/operations/tests/{id}", "peer_test", _way, Permission.WATCH_NODE, tab="operations"),
)
