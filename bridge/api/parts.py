"""What the interface is made of: the use cases of one node, handed to its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from starlette.requests import Request

from bridge.app.integrating.tokens import ManageTokens
from bridge.app.integrating.webhooks import ManageWebhooks
from bridge.app.read_message import ReadMessages
from bridge.app.sending.acknowledge import AcknowledgeMessages
from bridge.app.sending.submit import SubmitAlerts
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.web.limit import Limit


@dataclass(frozen=True, slots=True)
class Parts:
    """One node.

    Attributes:
        submitting, acknowledging: against the newest membership list; they load the keys.
        asking: how often a token may be used.
        failing: how often an address may show a token that is none.
    """

    store: Store
    clock: Clock
    hosted: Sequence[str]
    tokens: ManageTokens
    reading: ReadMessages
    submitting: Callable[[], Awaitable[SubmitAlerts]]
    acknowledging: Callable[[], Awaitable[AcknowledgeMessages]]
    webhooks: ManageWebhooks
    asking: Limit = field(repr=False)
    failing: Limit = field(repr=False)


def parts_of(request: Request) -> Parts:
    """The parts of the application that answers this request."""
    parts: Parts = request.app.state.parts
    return parts
