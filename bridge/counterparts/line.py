"""A contact point's way to the broker: publishes with confirm, consumes its country's queues, waits within bounds."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractIncomingMessage

from bridge.adapters.amqp.faults import broker_calls
from bridge.adapters.amqp.parcels import CONTENT_TYPE
from bridge.core.broker_names import LANES, country_queue, ingress_exchange
from bridge.core.verification import Hints
from bridge.counterparts.making import Made

DEADLINE_SECONDS: Final = 20.0
PREFETCH: Final = 32


@dataclass(frozen=True, slots=True)
class Accounts:
    """The AMQP URLs, with passwords, of a country's two accounts."""

    relay: str
    router: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One delivery out of a country's queue; without `hints` it is judged by its bytes alone."""

    wire_bytes: bytes
    hints: Hints | None
    content_type: str | None
    message_id: str | None
    is_persistent: bool
    at: datetime
    incoming: AbstractIncomingMessage

    async def acknowledge(self) -> None:
        """Tells the broker that it may forget it."""
        await self.incoming.ack()


@dataclass(frozen=True, slots=True)
class Line:
    """An open way; `arrivals` are those of both lanes, as the broker hands them over."""

    arrivals: asyncio.Queue[Arrival]
    _relay: str
    _channel: AbstractChannel
    _exchange: AbstractExchange

    async def publish(self, made: Made) -> None:
        """Publishes as an honest relay would, but for what the message says of itself; returns once confirmed.

        Raises:
            UnavailableError: the broker refused it, or gave no word in time.
        """
        message = aio_pika.Message(
            made.wire_bytes,
            content_type=CONTENT_TYPE,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT if made.persistent else aio_pika.DeliveryMode.NOT_PERSISTENT,
            correlation_id=made.correlation_id or made.id,
            message_id=secrets.token_hex(16),
            type=made.type or made.kind,
            app_id=made.app_id or made.sender,
            timestamp=datetime.now(UTC),
            headers={name: list(values) for name, values in made.headers.items()},
        )
        async with broker_calls(self._relay, deadline_seconds=DEADLINE_SECONDS):
            await self._exchange.publish(message, made.routing_key, mandatory=True, timeout=DEADLINE_SECONDS)


@asynccontextmanager
async def open_line(accounts: Accounts, prefix: str, *, consumes: bool = True) -> AsyncIterator[Line]:
    """A country's way to the broker, for as long as the block lasts; nothing arrives unless it `consumes`.

    Raises:
        UnavailableError: the broker cannot be reached, or refuses an account.
    """
    arrivals: asyncio.Queue[Arrival] = asyncio.Queue()

    async def arrive(incoming: AbstractIncomingMessage) -> None:
        await arrivals.put(_arrival(incoming))

    connections: list[aio_pika.abc.AbstractConnection] = []
    try:
        for url in (accounts.relay, accounts.router):
            async with broker_calls(url, deadline_seconds=DEADLINE_SECONDS):
                connections.append(await aio_pika.connect(url))
        async with broker_calls(accounts.relay, deadline_seconds=DEADLINE_SECONDS):
            channel = await connections[0].channel(on_return_raises=True)
            exchange = await channel.get_exchange(ingress_exchange(prefix), ensure=False)
        async with broker_calls(accounts.router, deadline_seconds=DEADLINE_SECONDS):
            incoming = await connections[1].channel()
            await incoming.set_qos(prefetch_count=PREFETCH)
            for lane in LANES if consumes else ():
                queue = await incoming.get_queue(country_queue(prefix, lane), ensure=False)
                await queue.consume(arrive)
        yield Line(arrivals, accounts.relay, channel, exchange)
    finally:
        for connection in connections:
            await connection.close()


def _arrival(incoming: AbstractIncomingMessage) -> Arrival:
    hints = Hints(
        correlation_id=incoming.correlation_id,
        type=incoming.type,
        app_id=incoming.app_id,
        routing_key=incoming.routing_key,
        user_id=incoming.user_id,
        copied=any(name in incoming.headers for name in ("CC", "BCC")),
    )
    return Arrival(
        incoming.body,
        hints,
        incoming.content_type,
        incoming.message_id,
        incoming.delivery_mode == aio_pika.DeliveryMode.PERSISTENT,
        datetime.now(UTC),
        incoming,
    )
