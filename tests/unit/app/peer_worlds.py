"""Countries with a store each, and a broker between them that loses what a test says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copy
from types import MappingProxyType

from bridge_node import Node
from bridge_world import (
    ListedTrust,
    ListPublisher,
    StillClock,
    desk,
    directory,
    private_keys,
    public_of,
    route_body,
)
from servers.new_epochs import new_epoch

from bridge.adapters.store import SqlStore, open_store
from bridge.app.checks.check_node import Check
from bridge.app.checks.check_peers import check_peers
from bridge.app.no_gap.ask_for_missing import AskForMissing
from bridge.app.no_gap.repeat_unanswered import RepeatUnanswered
from bridge.app.no_gap.send_heartbeats import SendHeartbeats
from bridge.app.no_gap.watch_peers import WatchPeers
from bridge.app.sending.send import Draft
from bridge.app.sending.submit import plan_for_answer
from bridge.core.directory import Directory, PublicKey
from bridge.core.verification import Hints
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.broker import Delivery, Publication
from bridge.ports.store.records import OutboxRow

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - folders of their own are made in it
EVERY = timedelta(seconds=300)
MINUTE = 60.0
HOUR = 3600.0

Loses = Callable[[Publication], bool]


def nothing(_: Publication) -> bool:
    return False


def of_kind(*kinds: str) -> Loses:
    return lambda publication: publication.kind in kinds


class Country:
    """One contact point, its node and its chores."""

    def __init__(self, own: str, store: SqlStore, trust: ListedTrust, clock: StillClock) -> None:
        self.own, self.store, self.clock, self.trust = own, store, clock, trust
        self.node = Node(store, trust, clock, ListPublisher())
        self.begin()

    def begin(self) -> None:
        """As after a start of its process: what was only remembered is forgotten."""
        desks, ids = {self.own: desk(self.own)}, self.node.ids
        self.receiver, self.relay = self.node.receiver(self.own), self.node.relay()
        self.heartbeats = SendHeartbeats(desks, self.store, self.trust, self.clock, ids, EVERY)
        self.asking = AskForMissing(desks, self.store, self.trust, self.clock, ids)
        self.repeating = RepeatUnanswered(desks, self.store, self.trust, self.clock, ids)
        self.watching = WatchPeers((self.own,), self.store, self.trust, self.clock, EVERY)

    async def submit(self, *to: str, urgency: str = "immediate", lifetime: timedelta | None = None) -> str:
        now = self.clock.now()
        plans = [
            plan_for_answer(directory(), one, kind="route_alert", status="actual", sender=self.own, at=now)
            for one in to
        ]
        plan = replace(plans[0], recipients=tuple(recipient for one in plans for recipient in one.recipients))
        expires = None if lifetime is None else now + lifetime
        draft = Draft("route_alert", "actual", urgency, route_body(now), plan, expires=expires)
        return (await self.node.sending().send(draft, sender=self.own)).id

    async def received(self) -> list[str]:
        return [item.id for item in await self.node.inbox() if item.contact_point == self.own]

    async def states(self, message_ids: Sequence[str]) -> list[str]:
        return [to.state for own in message_ids for to in (await self.node.sent(own)).recipients]

    async def missing(self) -> list[int]:
        async with self.store.reading() as unit:
            return [number for *_, number in await unit.inbox.gaps(older_than=self.clock.now() + timedelta(days=999))]

    async def check(self, name: str) -> Check:
        checks = await check_peers(
            self.store,
            now=self.clock.now(),
            contact_points=[self.own],
            directory=self.trust.current(),
            heartbeat_seconds=EVERY.total_seconds(),
        )
        return {check.name: check for check in checks}[name]

    async def number(self, message_id: str) -> int:
        (to,) = (await self.node.sent(message_id)).recipients
        assert to.number is not None
        return to.number

    async def waiting(self) -> list[OutboxRow]:
        """What is in the outbox, looked at without taking it."""
        now, token = self.clock.now(), "looking"
        async with self.store.writing() as unit:
            rows = await unit.outbox.claim("publisher", token=token, now=now, lease_seconds=1, limit=5000)
            await unit.outbox.release([row.id for row in rows], token=token)
        return list(rows)

    async def waiting_kinds(self) -> list[str]:
        return [row.kind for row in await self.waiting()]


class Network:
    """Countries by prefix; `carry` takes everything that waits to where it belongs, but for what `loses` says."""

    def __init__(self, folder: Path, migrated: Path) -> None:
        self.folder, self.migrated = folder, migrated
        self.clock, self.trust = StillClock(), ListedTrust(directory())
        self.countries: dict[str, Country] = {}
        self.carried: list[Publication] = []

    async def open(self, own: str) -> Country:
        path = self.path(own)
        if not path.exists():
            copy(self.migrated, path)
        country = Country(own, open_store(f"sqlite:///{path}"), self.trust, self.clock)
        self.countries[own[:2]] = country
        return country

    async def restore(self, own: str, backup: Path) -> Country:
        """The contact point's database as it was, in a new epoch."""
        await self.countries[own[:2]].store.close()
        _put_in_place(backup, self.path(own))
        country = await self.open(own)
        async with country.store.writing() as unit:
            await new_epoch(unit, self.clock.now())
        return country

    async def back_up(self, own: str) -> Path:
        """Closes the store so that the file is whole, copies it, and opens it again."""
        await self.countries[own[:2]].store.close()
        backup = self.folder / f"{own}.backup"
        copy(self.path(own), backup)
        await self.open(own)
        return backup

    def path(self, own: str) -> Path:
        return self.folder / f"{own}.db"

    async def carry(self, loses: Loses = nothing) -> None:
        """Until nothing waits any more: what arrives may be answered at once."""
        while any([await self._carry_from(country, loses) for country in self.countries.values()]):
            pass

    async def _carry_from(self, country: Country, loses: Loses) -> bool:
        published = country.node.publisher.published
        while await country.relay.relay_once():
            pass
        taken, published[:] = list(published), []
        self.carried += taken
        for publication in taken:
            to = self.countries.get(publication.routing_key.split(".")[1])
            if to is not None and not loses(publication):
                await to.receiver.receive([_delivery(publication, to.own)])
        return bool(taken)

    async def pass_time(self, seconds: float, loses: Loses = nothing, *, steps_of: float = MINUTE) -> None:
        """Every country does its chores and its post once in `steps_of` seconds."""
        end = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < end:
            self.clock.advance(min(steps_of, (end - self.clock.now()).total_seconds()))
            for country in self.countries.values():
                await country.heartbeats.send()
                await country.asking.ask()
                await country.watching.watch()
                await country.repeating.repeat()
            await self.carry(loses)

    def now(self) -> datetime:
        return self.clock.now()

    def carried_kinds(self) -> list[str]:
        return [one.kind for one in self.carried]


def _put_in_place(backup: Path, path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    copy(backup, path)


def _delivery(publication: Publication, to: str) -> Delivery:
    hints = Hints(publication.message_id, publication.kind, publication.sender)
    return Delivery(1, f"inbox.{to}.normal", publication.wire_bytes, hints, redelivered=False)


def control_of(publication: Publication | OutboxRow) -> dict[str, object]:
    """What a control message says."""
    members = strict_json.parse_object(parse_envelope(publication.wire_bytes).payload_bytes)["control"]
    assert isinstance(members, dict)
    return members


@contextmanager
def extra_key(country: Country, kid: str) -> Iterator[PublicKey]:
    """A further signing key of the country's contact point: its private part here, its public part in the list."""
    keys = private_keys(country.own)
    key = public_of(kid, "ES256", keys.make(kid))
    country.trust.directory = with_keys(country.trust.directory, key)
    try:
        yield key
    finally:
        keys.destroy(kid)


def with_keys(before: Directory, *keys: PublicKey) -> Directory:
    """The next version of a list, with these signing keys added or changed."""
    signing = {**before.signing_keys, **{key.kid: key for key in keys}}
    return replace(before, version=before.version + 1, signing_keys=MappingProxyType(signing))


@asynccontextmanager
async def network(folder: Path, migrated: Path, *members: str) -> AsyncIterator[Network]:
    made = Network(folder, migrated)
    try:
        for own in members or ("rs.ncp", "at.ncp"):
            await made.open(own)
        yield made
    finally:
        for country in made.countries.values():
            await country.store.close()
