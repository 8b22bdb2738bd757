"""One's own alerts: what was sent and what became of it; the drafts of their updates and cancellations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.responses import Response

from bridge.app.accounts.roles import Permission
from bridge.app.desk.drafts import Written
from bridge.app.desk.own_alerts import PAGE
from bridge.console.access import Page
from bridge.console.visit import Visit
from bridge.ports.store.records import OutgoingMessage


async def _sent(visit: Visit) -> Response:
    alerts = await visit.parts.own_alerts.page(visit.person, before=visit.query("before") or None)
    rows = [(alert, _reached(alert.message)) for alert in alerts]
    more = alerts[-1].message.id if len(alerts) == PAGE else ""
    return visit.show("sent.html", rows=rows, more=more)


def _reached(message: OutgoingMessage) -> Counter[str]:
    """How many recipients are in which state; one that has answered counts as `acknowledged`."""
    return Counter("acknowledged" if to.acknowledged_at else to.state for to in message.recipients)


def _beginning(begin: Callable[[Visit, str], Awaitable[Written]]) -> Callable[[Visit], Awaitable[Response]]:
    async def handler(visit: Visit) -> Response:
        written = await begin(visit, str(visit.request.path_params["message_id"]))
        draft = await visit.parts.drafts.begin(visit.person, written)
        return visit.go("compose_draft", draft_id=draft.record.id)

    return handler


async def _update(visit: Visit, message_id: str) -> Written:
    return await visit.parts.own_alerts.update(message_id, visit.person)


async def _cancel(visit: Visit, message_id: str) -> Written:
    return await visit.parts.own_alerts.cancel(message_id, visit.person)


_AT: Final = "/sent/{message_id}"
PAGES: Final = (
    Page("/sent", "sent", _sent, Permission.READ_MESSAGES),
    Page(f"{_AT}/update", "update_alert", _beginning(_update), Permission.WRITE_ALERTS, "POST", tab="sent"),
    Page(f"{_AT}/cancel", "cancel_alert", _beginning(_cancel), Permission.WRITE_ALERTS, "POST", tab="sent"),
)
