"""The HTTP interface over a node: its use cases, handed to the routes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from bridge.api.app import api_app
from bridge.api.parts import Parts
from bridge.app.integrating.submit_once import ForgetSubmissions
from bridge.app.integrating.tokens import ManageTokens
from bridge.compose.node import Node
from bridge.compose.webhooks import webhooks_of
from bridge.services.housekeeping import Chore
from bridge.services.runner import Service
from bridge.settings.api import ApiSettings
from bridge.web.limit import Limit
from bridge.web.serving import WebService

API: Final = "api"
FORGET_SECONDS: Final = 3600.0
_MINUTE: Final = timedelta(minutes=1)


def tokens_of(node: Node) -> ManageTokens:
    """The tokens of a node's systems."""
    return ManageTokens(node.store, node.clock, node.hosted)


def api_parts(node: Node, settings: ApiSettings) -> Parts:
    """What the routes of a node are made of; loads the keys."""
    return Parts(
        store=node.store,
        clock=node.clock,
        hosted=node.hosted,
        tokens=tokens_of(node),
        reading=node.reading,
        submitting=node.submitting,
        acknowledging=node.acknowledging,
        webhooks=webhooks_of(node),
        asking=Limit(settings.requests_per_minute, _MINUTE),
        failing=Limit(settings.requests_per_minute, _MINUTE),
    )


def api_services(node: Node, ready: Callable[[str], None]) -> Mapping[str, Service]:
    """What serves the interface."""
    settings = node.settings.api or ApiSettings()
    files = None
    if settings.certificate_file is not None and settings.key_file is not None:
        files = (node.settings.path(settings.certificate_file), node.settings.path(settings.key_file))
    app = api_app(api_parts(node, settings), origin=settings.origin)
    return {API: WebService(API, app, settings.place, files, ready, settings.proxies)}


def api_chore(node: Node) -> Chore:
    """Forgets keys of submissions that nobody tries again any more."""
    return Chore(FORGET_SECONDS, ForgetSubmissions(node.store, node.clock).look)
