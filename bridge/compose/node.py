"""A node as the commands use it: its store, and the use cases over it.

Private keys are loaded when a use case needs them and not before: looking at outbox or quarantine takes none.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from bridge.adapters.jose.desk import KeyDesk, load_desk
from bridge.adapters.jose.key_files import read_secret
from bridge.adapters.jose.sealing import seal
from bridge.adapters.store import SqlStore, open_store
from bridge.adapters.system import RandomIds, SystemClock
from bridge.adapters.trust.membership.mirror import FolderMirror, Mirror
from bridge.adapters.trust.node.https_mirror import HttpsMirror
from bridge.adapters.trust.node.source import TufTrustSource
from bridge.adapters.vault import StorageVault
from bridge.app.checks import node_states as states
from bridge.app.checks.check_answers import check_answers
from bridge.app.checks.check_certificates import check_certificates
from bridge.app.checks.check_destinations import check_destinations
from bridge.app.checks.check_membership import check_frozen, check_list, check_signatures
from bridge.app.checks.check_node import Check, check_queues, run_probes
from bridge.app.checks.check_notices import check_notices
from bridge.app.checks.check_peers import check_peers
from bridge.app.checks.check_undelivered import check_undelivered
from bridge.app.checks.check_webhooks import check_webhooks
from bridge.app.read_message import ReadMessages
from bridge.app.sending.acknowledge import AcknowledgeMessages
from bridge.app.sending.send import SendMessages
from bridge.app.sending.send_notice import SendNotices
from bridge.app.sending.submit import SubmitAlerts
from bridge.compose.broker_login import held_certificates
from bridge.compose.private_keys import keys_of
from bridge.compose.probes import probes_of
from bridge.core.directory import Directory
from bridge.core.errors import UnavailableError
from bridge.health.asking import CLOCK, ask_processes
from bridge.settings import ContactPointSettings, NodeSettings
from bridge.settings.trust import is_address

NO_PROCESS: Final = Check(
    "processes", ok=True, detail="none was started in this folder, or all were stopped", state=states.NOT_RUNNING
)


class Node:
    """One country's node, opened."""

    def __init__(self, settings: NodeSettings, store: SqlStore, trust: TufTrustSource | None = None) -> None:
        self.settings = settings
        self.store = store
        self.clock = SystemClock()
        self.ids = RandomIds()
        self.trust = trust or open_trust(settings)

    @property
    def hosted(self) -> tuple[str, ...]:
        """The ids of the contact points hosted here, sorted."""
        return tuple(sorted(point.id for point in self.settings.contact_points))

    @cached_property
    def reading(self) -> ReadMessages:
        """Reads bodies; loads the storage keys."""
        return ReadMessages(self.store, self._keys[1], self.clock, self.reason_for)

    @property
    def reason_for(self) -> frozenset[str]:
        """The kinds of message that are opened for a reason only."""
        return frozenset(self.settings.console.reason_for) if self.settings.console else frozenset()

    async def submitting(self) -> SubmitAlerts:
        """Prepares and sends alerts, against the newest membership list; loads the keys."""
        return SubmitAlerts(await self.sending())

    async def notifying(self) -> SendNotices:
        """Tells every member of another membership list; loads the keys."""
        return SendNotices(await self.sending())

    async def acknowledging(self) -> AcknowledgeMessages:
        """Answers in an officer's name, against the newest membership list; loads the keys."""
        return AcknowledgeMessages(await self.sending())

    async def status(self) -> list[Check]:
        """How the node is: its processes, what waits, what was refused, what is missing, how old the list is.

        Raises:
            UnavailableError: the database cannot be looked into, and there is no process that would say why.
        """
        await self._look_for_list()
        processes = await ask_processes(self.settings.folder)
        checks = list(processes) or [NO_PROCESS]
        try:
            checks += await self._rows()
        except UnavailableError as error:
            if not processes and error.code == "E_DATABASE":
                raise
            checks.append(Check.failed("database", error))
        try:
            directory, now, failures = self.trust.current(), self.clock.now(), self.trust.failures
            checks += check_list(directory, now=now, contact_points=self.hosted, failures=failures)
            checks.append(check_frozen(directory, self.trust.ahead(), now=now))
            checks.append(check_signatures(directory, now=now, contact_points=self.hosted))
        except UnavailableError as error:
            checks.append(Check.failed("membership list", error))
        return [*checks, *self._certificates()]

    async def doctor(self) -> list[Check]:
        """Everything that the node depends on, each tried for real."""
        await self._look_for_list()
        return await run_probes(probes_of(self.settings, self.store, self.trust, self.clock, self.desks))

    def _certificates(self) -> Sequence[Check]:
        if self.settings.broker.certificates is None:
            return ()
        try:
            return [check_certificates(held_certificates(self.settings), now=self.clock.now())]
        except UnavailableError as error:
            return [Check.failed("certificates", error)]

    async def _rows(self) -> list[Check]:
        now = self.clock.now()
        return [
            *await check_queues(self.store, now=now),
            await check_destinations(self.store, now=now),
            await check_undelivered(self.store, now=now),
            await check_answers(self.store, contact_points=self.hosted, now=now),
            *await self._notices(now),
            *await check_webhooks(self.store, contact_points=self.hosted),
            *await check_peers(
                self.store,
                now=now,
                contact_points=self.hosted,
                directory=self._last_list(),
                heartbeat_seconds=self.settings.heartbeat.seconds,
            ),
        ]

    async def _notices(self, now: datetime) -> list[Check]:
        channels = [channel.name for channel in self.settings.notices]
        return [await check_notices(self.store, channels=channels, now=now)] if channels else []

    async def _look_for_list(self) -> None:
        """Once for all checks: a mirror may take its time. Whether there is a list is one of them."""
        with suppress(UnavailableError):
            await self.trust.refresh()

    def _last_list(self) -> Directory | None:
        try:
            return self.trust.current()
        except UnavailableError:
            return None

    async def check_clock(self) -> None:
        """Asks the running processes whether this machine's clock was set.

        Raises:
            UnavailableError: `E_CLOCK`, it was: nothing is signed and nothing judged by it.
        """
        for check in await ask_processes(self.settings.folder, CLOCK):
            if check.state == states.CLOCK_STEPPED:
                raise UnavailableError("E_CLOCK", f"nothing is signed or judged now: {check.detail}")

    @property
    def vault(self) -> StorageVault:
        """Bodies at rest; loads the storage keys."""
        return self._keys[1]

    async def sending(self) -> SendMessages:
        """Sends whatever was drafted, against the newest membership list; loads the keys."""
        await self.check_clock()
        await self.trust.refresh()
        return SendMessages(
            desks=self.desks(),
            seal=seal,
            store=self.store,
            trust=self.trust,
            vault=self._keys[1],
            clock=self.clock,
            ids=self.ids,
        )

    def machine_secret(self) -> bytes:
        """What protects the key files, and chains the audit log."""
        return read_secret(self.settings.path(self.settings.machine_secret_file))

    def desks(self) -> Mapping[str, KeyDesk]:
        """The hosted contact points; loads their keys."""
        return self._keys[0]

    @cached_property
    def _keys(self) -> tuple[Mapping[str, KeyDesk], StorageVault]:
        return load_desks(self.settings)


@asynccontextmanager
async def open_node(settings: NodeSettings) -> AsyncIterator[Node]:
    """The node that the settings describe.

    A database that cannot be read is met by whatever needs it first: `status` and `doctor` say more than that.

    Raises:
        UnavailableError: `E_DATABASE_SCHEMA`, the database is not of this program's schema (`ncp-bridge run` makes it).
    """
    store = open_store(settings.database_url)
    try:
        try:
            await store.check_schema()
        except UnavailableError as error:
            if error.code == "E_DATABASE_SCHEMA":
                raise
        yield Node(settings, store)
    finally:
        await store.close()


def open_trust(settings: NodeSettings) -> TufTrustSource:
    """The membership list of the configured mirrors, and of what comes through the bridge."""
    trust = settings.trust
    mirrors: list[Mirror] = []
    for place in trust.places:
        if is_address(place):
            mirrors.append(HttpsMirror(place.rstrip("/"), seconds=trust.mirror_seconds))
        else:
            mirrors.append(FolderMirror(settings.path(Path(place))))
    return TufTrustSource(
        mirrors, settings.path(trust.cache), settings.path(trust.root), received=settings.path(trust.received)
    )


def load_desks(settings: NodeSettings) -> tuple[Mapping[str, KeyDesk], StorageVault]:
    """The hosted contact points with their keys, and the vault for their bodies."""
    secret = read_secret(settings.path(settings.machine_secret_file))
    loaded = {point.id: _load_desk(settings, point, secret) for point in settings.contact_points}
    desks = {identifier: desk for identifier, (desk, _) in loaded.items()}
    return desks, StorageVault({identifier: storage_key for identifier, (_, storage_key) in loaded.items()})


def _load_desk(settings: NodeSettings, point: ContactPointSettings, machine_secret: bytes) -> tuple[KeyDesk, bytes]:
    """A desk with keys in files opens them all at once; one with a token goes on whether that is there or not."""
    folder = settings.path(point.keys)
    if point.token is None:
        return load_desk(folder, point.id, machine_secret=machine_secret)
    keys = keys_of(settings, point, machine_secret=machine_secret)
    return KeyDesk(point.id, keys), read_secret(folder / "storage.key")
