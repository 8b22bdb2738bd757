"""From settings to running services: each with its own broker account, and only the keys that its role needs.

The publisher and the subscriber hold no private key (architecture: Who runs what); only the contact point loads any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from bridge.adapters.amqp.consumer import consuming
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import all_open
from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.system import RandomIds
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.app.checks.check_membership import check_frozen, check_list, check_signatures
from bridge.app.checks.check_node import Check
from bridge.app.checks.process_health import ProcessHealth
from bridge.app.operating.figures import GatherFigures
from bridge.app.receiving.receive_message import ReceiveMessages
from bridge.app.receiving.recheck_held import RecheckHeld, RecheckOnNewList
from bridge.app.receiving.route_message import RouteMessages
from bridge.app.receiving.setting_aside import SetAside
from bridge.app.sending.relay_outbox import RelayOutbox
from bridge.app.sending.withdraw_stopped import WithdrawStopped
from bridge.app.watch_certificates import WatchCertificates
from bridge.app.watch_membership import WatchMembership
from bridge.compose.broker_login import BrokerSessions, held_certificates
from bridge.compose.desk_chores import desk_chores
from bridge.compose.guards import guards_of
from bridge.compose.judging import Judges
from bridge.compose.key_chores import key_chores
from bridge.compose.node import load_desks, open_trust
from bridge.compose.peer_chores import peer_chores
from bridge.compose.process_checks import watch_dependencies, watch_work
from bridge.compose.walking_chores import walking_chores
from bridge.compose.webhooks import webhook_service
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.health.places import ALL
from bridge.ports.keys import Desk
from bridge.services.consuming import ConsumingService, Handle
from bridge.services.gate import ReceivingGate
from bridge.services.housekeeping import Chore, HousekeepingService
from bridge.services.relaying import RelayingService
from bridge.services.runner import Readiness, Service, run_services
from bridge.settings import Account, NodeSettings

PUBLISHER: Final = "publisher"
SUBSCRIBER: Final = "subscriber"
CONTACT_POINT: Final = "contact-point"
CONSOLE: Final = "console"
API: Final = "api"
MESSAGE_ROLES: Final = (PUBLISHER, SUBSCRIBER, CONTACT_POINT)
ROLES: Final = (*MESSAGE_ROLES, CONSOLE, API)
RECHECK_HELD_EVERY: Final = timedelta(minutes=1)
LOOK_AT_CLOCK_SECONDS: Final = 1.0
LOOK_AT_LIST_SECONDS: Final = 1.0
LOOK_AT_MEMBERSHIP_SECONDS: Final = 60.0
LOOK_AT_CERTIFICATES_SECONDS: Final = 1.0  # one look at each file's time
WARN_OF_CERTIFICATES_SECONDS: Final = 600.0

_log = structlog.get_logger()


def roles_of(settings: NodeSettings) -> Sequence[str]:
    """All roles; console and interface where the settings have them."""
    served = {CONSOLE: settings.console, API: settings.api}
    return (*MESSAGE_ROLES, *(role for role, table in served.items() if table is not None))


async def run_node(settings: NodeSettings, *, roles: Sequence[str], ready_file: Path | None) -> None:
    """Runs the services of these roles until SIGTERM; creates or upgrades the database first.

    Raises:
        UnavailableError: database, key files or settings' secrets are not there at the start. A broker that is not
            there is waited for.
    """
    # Every command loads this file, and these two take 60 ms each.
    from bridge.adapters.store.schema import migrate  # noqa: PLC0415
    from bridge.health.serving import serving  # noqa: PLC0415

    health = ProcessHealth(ALL if len(roles) > 1 else roles[0])
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(health, folder=settings.folder, address=settings.health.address))
        await migrate(settings.database_url)
        store = open_store(settings.database_url)
        stack.push_async_callback(store.close)
        trust = open_trust(settings)
        await trust.refresh()
        readiness = Readiness(file=ready_file, on_ready=health.begin)
        wiring = _Wiring(settings, store, trust, readiness)
        wiring.build(roles)
        wiring.services["health"] = health
        wiring.watch(health)
        await stack.enter_async_context(all_open(wiring.sessions.made))
        await run_services(wiring.services, drain_seconds=settings.drain_seconds)


@dataclass
class _Wiring:
    """Builds the services of one process, and the sessions that are to be open while they run."""

    settings: NodeSettings
    store: SqlStore
    trust: TufTrustSource
    readiness: Readiness
    services: dict[str, Service] = field(default_factory=dict)
    ids: RandomIds = field(default_factory=RandomIds)
    desks: list[Desk] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.guards = guards_of(self.settings, self.store, self.trust)
        self.clock = self.guards.clock
        self.stopped = WithdrawStopped(self.store, self.trust, self.guards.wall_clock)
        self.sessions = BrokerSessions(self.settings, self.trust)
        self.judges = Judges(
            prefix=self.settings.prefix, store=self.store, trust=self.trust, clock=self.clock, ids=self.ids
        )

    def watch(self, health: ProcessHealth) -> None:
        """Has the process tell how these services, their sessions and what they need are."""
        watch_dependencies(health, self.guards, store=self.store, trust=self.trust, desks=self.desks)
        every = timedelta(seconds=self.settings.heartbeat.seconds)
        hosted = tuple(point.id for point in self.settings.contact_points)
        health.figures = GatherFigures(self.store, self.trust, self.guards.wall_clock, hosted, every).gather
        watch_work(health, sessions=self.sessions.made, services=self.services)

    def build(self, roles: Sequence[str]) -> None:
        if PUBLISHER in roles:
            self._relaying(PUBLISHER, self.settings.broker.relay, relay=PUBLISHER)
        router = self._subscriber() if SUBSCRIBER in roles else None
        receivers = self._contact_points() if CONTACT_POINT in roles else {}
        if CONSOLE in roles:
            self._console()
        served = [self._api()] if API in roles else []
        recheck = None
        if router or receivers:  # whoever looks at held messages counts them as tried: only those who can judge them
            recheck = RecheckHeld(
                store=self.store, clock=self.clock, receivers=receivers, router=router, every=RECHECK_HELD_EVERY
            )
        self.services["housekeeper"] = HousekeepingService(
            self.trust,
            recheck,
            refresh_seconds=self.settings.trust.refresh_seconds,
            recheck_seconds=RECHECK_HELD_EVERY.total_seconds(),
            chores=(
                Chore(LOOK_AT_CLOCK_SECONDS, self.clock.look),
                Chore(LOOK_AT_MEMBERSHIP_SECONDS, WatchMembership(self._membership, self.guards.wall_clock).look),
                *([Chore(LOOK_AT_LIST_SECONDS, self.stopped.look)] if PUBLISHER in roles else ()),
                *([Chore(LOOK_AT_LIST_SECONDS, RecheckOnNewList(recheck, self.trust).look)] if recheck else ()),
                *(self._peer_chores(receivers) if receivers else ()),
                *(self._key_chores(receivers) if receivers else ()),
                *(self._walking_chores(receivers) if receivers else ()),
                *(self._desk_chores(receivers) if receivers else ()),
                *(self._webhooks(receivers) if receivers else ()),
                *(self._certificate_chores() if self.settings.broker.certificates is not None else ()),
                *served,
            ),
        )

    def _console(self) -> None:
        # Pages, languages and templates take half a second to load, and most processes serve none.
        from bridge.compose.console import console_services  # noqa: PLC0415
        from bridge.compose.node import Node  # noqa: PLC0415

        self.services |= console_services(Node(self.settings, self.store, self.trust), self.readiness.note)
        self.readiness.expect(CONSOLE)

    def _api(self) -> Chore:
        # As of the console: most processes serve none.
        from bridge.compose.api import api_chore, api_services  # noqa: PLC0415
        from bridge.compose.node import Node  # noqa: PLC0415

        node = Node(self.settings, self.store, self.trust)
        self.services |= api_services(node, self.readiness.note)
        self.readiness.expect(API)
        return api_chore(node)

    def _membership(self) -> Sequence[Check]:
        directory, now = self.trust.current(), self.guards.wall_clock.now()
        return [
            *check_list(directory, now=now, contact_points=(), failures=self.trust.failures),
            check_frozen(directory, self.trust.ahead(), now=now),
            check_signatures(directory, now=now, contact_points=[point.id for point in self.settings.contact_points]),
        ]

    def _subscriber(self) -> RouteMessages:
        account, prefix = self.settings.broker.router, self.settings.prefix
        routers = {lane: self._router(lane) for lane in names.LANES}
        queues = {lane: [names.country_queue(prefix, lane)] for lane in names.LANES}
        queues["normal"].append(names.dead_queue(prefix))
        for lane, router in routers.items():
            name, gate = f"{SUBSCRIBER} {prefix} {lane}", self.guards.gate
            self._consuming(name, account, queues[lane], router.route, gate, holder=None)
        self._relaying(f"{SUBSCRIBER} outbox", account, relay=SUBSCRIBER)
        return routers["normal"]

    def _router(self, lane: str) -> RouteMessages:
        """With a publisher of its own: an urgent message waits for no confirms of normal ones."""
        session = self.sessions.make(self.settings.broker.router, f"{SUBSCRIBER} {lane} out")
        return self.judges.router(AmqpPublisher(session))

    def _contact_points(self) -> Mapping[str, ReceiveMessages]:
        desks, vault = load_desks(self.settings)
        self.desks += desks.values()
        receivers = {}
        for point in self.settings.contact_points:
            receiver = self.judges.contact_point(desks[point.id], vault)
            gate = replace(self.guards.gate, keys=desks[point.id].keys.kids)
            for lane in names.LANES:
                name, queues = f"{CONTACT_POINT} {point.id} {lane}", [names.inbox_queue(point.id, lane)]
                self._consuming(name, point.account, queues, receiver.receive, gate, holder=point.id)
            receivers[point.id] = receiver
        return receivers

    def _peer_chores(self, receivers: Mapping[str, ReceiveMessages]) -> Sequence[Chore]:
        return peer_chores(
            desks={own: receiver.desk for own, receiver in receivers.items()},
            store=self.store,
            trust=self.trust,
            clock=self.clock,
            ids=self.ids,
            heartbeat_seconds=self.settings.heartbeat.seconds,
        )

    def _walking_chores(self, receivers: Mapping[str, ReceiveMessages]) -> Sequence[Chore]:
        vault = next(iter(receivers.values())).vault  # one for all of the node
        return walking_chores(
            self.settings, contact_points=receivers, store=self.store, vault=vault, clock=self.guards.wall_clock
        )

    def _webhooks(self, receivers: Mapping[str, ReceiveMessages]) -> Sequence[Chore]:
        vault = next(iter(receivers.values())).vault
        try:
            service, forgetting = webhook_service(
                self.settings, contact_points=receivers, store=self.store, vault=vault, clock=self.clock
            )
        except UnavailableError as error:  # an extra that a node without webhooks need not have
            _log.info("webhooks.absent", code=error.code, detail=error.message)
            return ()
        self.services["webhooks"] = service
        return (forgetting,)

    def _key_chores(self, receivers: Mapping[str, ReceiveMessages]) -> Sequence[Chore]:
        desks = {own: receiver.desk for own, receiver in receivers.items()}
        return key_chores(desks=desks, store=self.store, trust=self.trust, clock=self.clock, ids=self.ids)

    def _desk_chores(self, receivers: Mapping[str, ReceiveMessages]) -> Sequence[Chore]:
        hosted = tuple(receivers)
        return desk_chores(self.settings, contact_points=hosted, store=self.store, clock=self.clock, ids=self.ids)

    def _consuming(
        self,
        name: str,
        account: Account,
        queues: Sequence[str],
        handle: Handle,
        gate: ReceivingGate,
        *,
        holder: str | None,
    ) -> None:
        """One lane: an urgent message waits for no batch of normal ones, and for no queue of theirs that is missing."""
        session = self.sessions.make(account, f"{name} in")
        self.services[name] = ConsumingService(
            name=name,
            open_consumer=partial(consuming, session, queues),
            handle=gate.guard(handle),
            check=gate.check,
            ready=self.readiness.note,
            set_aside=SetAside(self.store, self.clock, self.ids, holder).keep,
        )
        self.readiness.expect(name)

    def _relaying(self, name: str, account: Account, *, relay: str) -> None:
        """A relay for each lane, with a connection of its own: an urgent row waits for no batch of normal ones."""
        for lane in names.LANES:
            own = f"{name} {lane}"
            publisher = AmqpPublisher(self.sessions.make(account, f"{own} out"))
            relaying = RelayOutbox(
                relay=relay,
                publisher=publisher,
                store=self.store,
                clock=self.guards.wall_clock,
                lane=lane,
                clock_is_trusted=self.clock.is_trusted,
                stopped=self.stopped if relay == PUBLISHER else None,
            )
            self.services[own] = RelayingService(
                name=own, relay=relaying, ready=self.readiness.note, broker_ready=publisher.ready
            )
            self.readiness.expect(own)

    def _certificate_chores(self) -> Sequence[Chore]:
        watching = WatchCertificates(partial(held_certificates, self.settings), self.guards.wall_clock)
        return (
            Chore(LOOK_AT_CERTIFICATES_SECONDS, self.sessions.renew),
            Chore(WARN_OF_CERTIFICATES_SECONDS, watching.watch),
        )
