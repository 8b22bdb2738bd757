"""The console over a node: its use cases, handed to the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from bridge.adapters.passwords import Argon2Passwords
from bridge.app.accounts.manage import ManageAccounts
from bridge.app.accounts.sign_in import SignIn
from bridge.compose.node import Node
from bridge.console.app import console_app
from bridge.console.parts import Parts
from bridge.console.serving import ConsoleService
from bridge.settings.console import ConsoleSettings

CONSOLE = "console"


def accounts_of(node: Node) -> ManageAccounts:
    """The accounts of a node's people."""
    return ManageAccounts(node.store, Argon2Passwords(), node.clock, node.hosted)


def console_parts(node: Node, settings: ConsoleSettings) -> Parts:
    """What the pages of a node are made of; loads the keys."""
    idle = timedelta(minutes=settings.idle_minutes)
    return Parts(
        country=node.settings.country,
        hosted=node.hosted,
        origin=settings.origin,
        idle=idle,
        time_zone=settings.time_zone,
        store=node.store,
        vault=node.vault,
        clock=node.clock,
        ids=node.ids,
        trust=node.trust,
        sign_in=SignIn(node.store, Argon2Passwords(), node.clock, idle),
        accounts=accounts_of(node),
        reading=node.reading,
        submitting=node.submitting,
        acknowledging=node.acknowledging,
        status=node.status,
        doctor=node.doctor,
    )


def console_service(node: Node, ready: Callable[[str], None]) -> ConsoleService:
    """The service that serves the pages."""
    settings = node.settings.console or ConsoleSettings()
    files = None
    if settings.certificate_file is not None and settings.key_file is not None:
        files = (node.settings.path(settings.certificate_file), node.settings.path(settings.key_file))
    return ConsoleService(CONSOLE, console_app(console_parts(node, settings)), settings.place, files, ready)
