"""The console over a node: its use cases, handed to the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from bridge.adapters.oidc import Client, OidcProvider
from bridge.adapters.passwords import Argon2Passwords
from bridge.app.accounts.elsewhere import ClaimRules, SignInElsewhere
from bridge.app.accounts.manage import ManageAccounts
from bridge.app.accounts.roles import Role
from bridge.app.accounts.sign_in import LocalAccounts, SignIn
from bridge.app.audit.chain import CheckAudit, chain_key
from bridge.app.desk.board import ReadBoard
from bridge.app.desk.corridors import ReadCorridors
from bridge.app.desk.drafts import WriteDrafts
from bridge.app.desk.export import ExportMessages
from bridge.app.desk.handover import HandOver
from bridge.app.desk.open_message import OpenMessages
from bridge.app.desk.own_alerts import OwnAlerts
from bridge.app.desk.previewing import PreviewRecipients
from bridge.app.desk.releasing import ReleaseAlerts
from bridge.app.desk.search import SearchMessages
from bridge.app.desk.work import WorkOnItems
from bridge.app.operating.overview import LookAtTraffic
from bridge.app.operating.try_peer import TryPeer
from bridge.compose.key_report import KeyReport, key_report
from bridge.compose.node import Node
from bridge.compose.queue_figures import looking_at_queues
from bridge.compose.receiving_state import receives
from bridge.compose.working_quarantine import NodeQuarantine
from bridge.console.app import console_app
from bridge.console.live import Live
from bridge.console.pages.provider import BACK
from bridge.console.parts import Parts
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.private_files import read_private_line
from bridge.services.runner import Service
from bridge.settings import NodeSettings
from bridge.settings.console import ConsoleSettings
from bridge.web.serving import WebService

CONSOLE = "console"
NEWS = "console news"


def accounts_of(node: Node) -> ManageAccounts:
    """The accounts of a node's people."""
    return ManageAccounts(node.store, Argon2Passwords(), node.clock, node.hosted)


def drafts_of(node: Node) -> WriteDrafts:
    """The drafts of a node's officers; loads the storage keys."""
    return WriteDrafts(node.store, node.vault, node.clock, node.ids)


async def prepare_database(settings: NodeSettings) -> None:
    """Makes the database where there is none: accounts come before the first run.

    Raises:
        UnavailableError: `E_DATABASE`.
    """
    from bridge.adapters.store.schema import migrate  # noqa: PLC0415 - it takes 60 ms, and every command loads this file

    await migrate(settings.database_url)


async def releasing_of(node: Node) -> ReleaseAlerts:
    """Releases drafts against the newest membership list; loads the keys."""
    return ReleaseAlerts(drafts_of(node), await node.submitting())


def console_parts(node: Node, settings: ConsoleSettings) -> Parts:
    """What the pages of a node are made of; loads the keys."""
    idle = timedelta(minutes=settings.idle_minutes)
    opening = OpenMessages(node.store, node.vault, node.clock, frozenset(settings.reason_for))
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
        sign_in=SignIn(node.store, Argon2Passwords(), node.clock, idle, LocalAccounts(settings.local_accounts)),
        elsewhere=_elsewhere(node, settings),
        accounts=accounts_of(node),
        reading=node.reading,
        board=ReadBoard(node.store, node.vault, node.clock),
        opening=opening,
        work=WorkOnItems(node.store, node.clock),
        corridors=ReadCorridors(node.store),
        search=SearchMessages(node.store, node.vault, node.clock),
        exporting=ExportMessages(opening, node.store, node.clock),
        drafts=drafts_of(node),
        previewing=PreviewRecipients(node.store, node.clock),
        own_alerts=OwnAlerts(drafts_of(node)),
        releasing=partial(releasing_of, node),
        acknowledging=node.acknowledging,
        newest_list=partial(_newest_list, node),
        status=node.status,
        doctor=node.doctor,
        traffic=LookAtTraffic(
            node.store, node.trust, node.clock, node.hosted, timedelta(seconds=node.settings.heartbeat.seconds)
        ),
        queues=looking_at_queues(node),
        test_peer=TryPeer(node.sending),
        key_report=partial(_key_report, node),
        quarantine=NodeQuarantine(node),
        audit_chain=CheckAudit(node.store, chain_key(node.machine_secret())),
        shifts=HandOver(node.store, node.vault, node.clock, node.ids),
        live=Live(node.store, node.clock, node.hosted, partial(receives, node.settings.folder)),
    )


def _elsewhere(node: Node, settings: ConsoleSettings) -> SignInElsewhere | None:
    oidc = settings.oidc
    if oidc is None:
        return None
    longest = timedelta(minutes=oidc.longest_login_minutes or settings.idle_minutes / 2)
    secret = partial(read_private_line, node.settings.path(oidc.client_secret_file))
    client = Client(oidc.client_id, secret, oidc.scopes, settings.origin + BACK, longest, oidc.acr)
    roles = {group: Role(role) for group, role in oidc.roles.items()}
    rules = ClaimRules(oidc.roles_claim, roles, oidc.contact_point_claim, oidc.contact_point)
    return SignInElsewhere(node.store, OidcProvider(oidc.issuer, client, node.clock), node.clock, node.hosted, rules)


async def _newest_list(node: Node) -> Directory:
    try:
        return node.trust.current()
    except UnavailableError:
        return await node.trust.refresh()


async def _key_report(node: Node) -> KeyReport:
    return await key_report(node.settings, contact_points=node.hosted, at=node.clock.now())


def console_services(node: Node, ready: Callable[[str], None]) -> Mapping[str, Service]:
    """What serves the pages, and what tells them of news."""
    settings = node.settings.console or ConsoleSettings()
    parts = console_parts(node, settings)
    files = None
    if settings.certificate_file is not None and settings.key_file is not None:
        files = (node.settings.path(settings.certificate_file), node.settings.path(settings.key_file))
    pages = WebService(CONSOLE, console_app(parts), settings.place, files, ready, settings.proxies)
    return {CONSOLE: pages, NEWS: parts.live}
