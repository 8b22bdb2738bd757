"""Webhooks of national systems: managed by commands and the interface, posted by the process of the contact points."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from bridge.adapters.system import RandomIds
from bridge.app.integrating.deliver_webhooks import DeliverWebhooks
from bridge.app.integrating.follow_webhooks import FollowWebhooks
from bridge.app.integrating.webhooks import ManageWebhooks
from bridge.compose.node import Node
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock
from bridge.ports.store import Store
from bridge.ports.vault import BodyVault
from bridge.services.housekeeping import Chore
from bridge.services.webhooks import WebhookService
from bridge.settings import NodeSettings

if TYPE_CHECKING:
    from bridge.adapters.notices.events import EventPoster

FORGET_SECONDS: Final = 3600.0


def webhooks_of(node: Node) -> ManageWebhooks:
    """The webhooks of a node's contact points.

    Raises:
        UnavailableError: `E_EXTRA`, as below.
    """
    return ManageWebhooks(node.store, lambda: node.vault, node.clock, RandomIds(), _poster(node.settings).check)


def webhook_service(
    settings: NodeSettings, *, contact_points: Collection[str], store: Store, vault: BodyVault, clock: Clock
) -> tuple[WebhookService, Chore]:
    """What follows and posts, and what forgets old deliveries.

    Raises:
        UnavailableError: `E_EXTRA`, webhooks need an extra that is not installed.
    """
    following = FollowWebhooks(tuple(contact_points), store, clock)
    delivering = DeliverWebhooks(store, vault, clock, _poster(settings))
    return WebhookService(following, delivering), Chore(FORGET_SECONDS, following.forget)


def _poster(settings: NodeSettings) -> EventPoster:
    try:
        from bridge.adapters.notices.events import EventPoster  # noqa: PLC0415 - of an extra
    except ModuleNotFoundError:
        raise UnavailableError("E_EXTRA", "webhooks need the extra: pip install 'ncp-bridge[api]'") from None
    return EventPoster(frozenset(settings.api.webhook_hosts if settings.api is not None else ()))
