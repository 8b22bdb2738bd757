"""Three countries on a real broker, of which one is turned against the others, and the broker with it.

Every attack is put into the broker before the first one is looked at; then there is one wait for all.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import aio_pika
from bridge_countries import Country
from forging.wire_forge import digest
from thief import Thief, hints_of, payload_in

from bridge.app.keys.choosing import signer_of
from bridge.compose.node import load_desks, open_trust
from bridge.core import broker_names as names
from bridge.core.wire import base64url
from bridge.core.wire.payload import lane_of
from bridge.settings import load_settings

if TYPE_CHECKING:
    from broker import Access

SECONDS: Final = 40.0
LAST_STEP_OF_A_ROUTER: Final = 10  # final refusals behind it are the contact point's (decision 0010)
BROKER: Final = "broker"  # its administrator, who may write to every queue


@dataclass(frozen=True)
class Injection:
    """One message as it is put into the broker.

    Attributes:
        wire_bytes: its bytes.
        exchange, key: where it goes; what the relay of Serbia would name unless told otherwise.
        by: the country whose relay account is used, or `BROKER`.
        hints: unsigned properties that lie; the others agree with the message.
    """

    wire_bytes: bytes
    exchange: str | None = None
    key: str | None = None
    by: str = "rs"
    hints: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """What a country says of a message that it did not take."""

    code: str
    step: int
    queue: str
    is_held: bool


@dataclass(frozen=True)
class Siege:
    """The countries by prefix, who has whose keys, and one good alert of each for Austria."""

    countries: Mapping[str, Country]
    broker: Access
    vhost: str
    thief: Thief
    rival: Thief
    genuine: Mapping[str, bytes]

    def refused(self, prefix: str, wire_bytes: bytes) -> list[Refused]:
        """Everything that was said of these bytes."""
        found = []
        for table in ("quarantine", "held"):
            query = f"SELECT code, step, queue FROM {table} WHERE sha256 = ?"  # noqa: S608 - one of two names
            rows = self._ask(prefix, query, hashlib.sha256(wire_bytes).digest())
            found += [Refused(*row, is_held=table == "held") for row in rows]
        return found

    def inbox(self, prefix: str, wire_bytes: bytes) -> list[tuple[str, str]]:
        """State and status of whole messages that arrived with the payload of these bytes."""
        try:
            payload = base64url.decode(str(json.loads(wire_bytes)["payload"]))
        except (ValueError, KeyError, TypeError, RecursionError):
            return []
        query = "SELECT state, status FROM inbox WHERE payload_sha256 = ? AND state != 'expired'"
        return self._ask(prefix, query, digest(payload))

    def settle(self, all_here: Callable[[], bool]) -> None:
        """Waits until it is so, or until it would have been; whoever asks then sees what is missing."""
        deadline = time.monotonic() + SECONDS
        while not all_here() and time.monotonic() < deadline:
            time.sleep(0.1)

    def inject(self, injections: Sequence[Injection]) -> None:
        """Puts messages into the broker, each with its account."""
        asyncio.run(self._inject(injections))

    async def _inject(self, injections: Sequence[Injection]) -> None:
        async with contextlib.AsyncExitStack() as stack:
            channels = {}
            for by in {injection.by for injection in injections}:
                connection = await stack.enter_async_context(await aio_pika.connect(self._url(by), timeout=SECONDS))
                channels[by] = await connection.channel()
            for injection in injections:
                await self._publish(channels[injection.by], injection)

    async def _publish(self, channel: aio_pika.abc.AbstractChannel, injection: Injection) -> None:
        good, said = hints_of(injection.wire_bytes), payload_in(injection.wire_bytes)
        lane = lane_of(str(said.get("urgency")))
        kind = said.get("kind") or "route_alert"
        hints = {"correlation_id": good.correlation_id, "type": good.type, "app_id": good.app_id} | injection.hints
        message = aio_pika.Message(
            injection.wire_bytes,
            headers={name: list(values) for name, values in injection.headers.items()},
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            **hints,
        )
        name = injection.exchange
        exchange = channel.default_exchange
        if name != "":
            exchange = await channel.get_exchange(name or names.ingress_exchange("rs"), ensure=False)
        key = injection.key or names.alert_key("rs", "at", lane=lane, kind=kind)
        await exchange.publish(message, key, timeout=SECONDS)

    def _url(self, by: str) -> str:
        if by == BROKER:
            return self.broker.amqp_url(self.vhost)
        settings = load_settings(self.countries[by].config)
        return settings.amqp_urls(settings.broker.relay)[0]

    def _ask(self, prefix: str, query: str, *values: object) -> list[tuple[object, ...]]:
        database = sqlite3.connect(self.countries[prefix].folder / "node.db", timeout=SECONDS)
        with contextlib.closing(database):
            return database.execute(query, values).fetchall()


@dataclass(frozen=True)
class Attack:
    """One attack, and what it must earn."""

    make: Callable[[Siege], Injection]
    code: str
    step: int
    where: str
    queue: str
    is_held: bool


Make = Callable[[Siege], Injection]


@dataclass
class Attacks:
    """Attacks by name, each a function that makes one message."""

    made: dict[str, Attack] = field(default_factory=dict)
    injected: dict[str, Injection] = field(default_factory=dict)

    def earns(
        self, code: str, *, step: int, where: str = "at", queue: str | None = None, is_held: bool = False
    ) -> Callable[[Make], Make]:
        """Adds an attack.

        Args:
            code: what it earns, at this `step`.
            where: the country that refuses it.
            queue: the queue that it is refused out of; the country's own for what a router judges (steps 1 to 10), else
                the contact point's.
            is_held: it waits for a list or a clock.
        """
        out_of = queue or (f"country.{where}." if step <= LAST_STEP_OF_A_ROUTER or is_held else f"inbox.{where}.ncp.")

        def add(make: Make) -> Make:
            assert make.__name__ not in self.made
            self.made[make.__name__] = Attack(make, code, step, where, out_of, is_held)
            return make

        return add

    def launch(self, siege: Siege) -> None:
        """Makes and injects them all, and waits until the last one was judged."""
        self.injected |= {name: attack.make(siege) for name, attack in self.made.items()}
        siege.inject(list(self.injected.values()))
        wanted = [(self.made[name].where, one.wire_bytes) for name, one in self.injected.items()]
        siege.settle(lambda: all(siege.refused(where, wire_bytes) for where, wire_bytes in wanted))


def stolen(country: Country, own: str, *to: str) -> Thief:
    """Somebody who has the keys of this contact point."""
    settings = load_settings(country.config)
    directory = open_trust(settings).current()
    signer = signer_of(load_desks(settings)[0][own], directory, at=datetime.now(UTC))
    return Thief(own, {signer.kid: signer.sign}, directory, to, lambda: datetime.now(UTC))


def besieged(countries: Mapping[str, Country], broker: Access, vhost: str) -> Siege:
    """The siege once a good alert of Serbia and one of Hungary have reached Austria."""
    thief = stolen(countries["rs"], "rs.ncp", "at.ncp", "hu.ncp")
    rival = stolen(countries["hu"], "hu.ncp", "at.ncp")
    genuine = {"rs": thief.message(), "hu": rival.message()}
    siege = Siege(countries, broker, vhost, thief, rival, genuine)
    hungarys = {"exchange": names.ingress_exchange("hu"), "key": "hu.at.urgent.route_alert", "by": "hu"}
    siege.inject([Injection(genuine["rs"]), Injection(genuine["hu"], **hungarys)])
    siege.settle(lambda: all(siege.inbox("at", one) for one in genuine.values()))
    assert all(siege.inbox("at", one) for one in genuine.values())
    return siege
