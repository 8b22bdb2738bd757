"""What the tests of the broker adapter share: publications, sessions, what is in the queues, raw publishes."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import aio_pika

from bridge.adapters.amqp.consumer import AmqpConsumer
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.core import broker_names as names
from bridge.ports.broker import Publication

if TYPE_CHECKING:
    from servers.broker_fixtures import VirtualHost

    from bridge.ports.broker import Delivery

SECONDS = 10.0
SENT = datetime(2026, 11, 23, 18, 40, 1, tzinfo=UTC)
KEY = names.alert_key("rs", "at", lane="normal", kind="route_alert")
URGENT_KEY = names.alert_key("rs", "at", lane="urgent", kind="route_alert")
NORMAL = names.country_queue("at", "normal")
URGENT = names.country_queue("at", "urgent")

_numbers = itertools.count(1)


def publication(wire_bytes: bytes = b"{}", **given: str) -> Publication:
    """One from Serbia's relay to Austria's normal queue, under a row id of its own."""
    row_id = f"row-{next(_numbers)}"
    made = Publication(row_id, names.ingress_exchange("rs"), KEY, wire_bytes, "route_alert", "rs.ncp", "id-1", SENT)
    return replace(made, **given)


def publications(count: int, **given: str) -> list[Publication]:
    return [publication(f"{number}".encode(), **given) for number in range(count)]


@asynccontextmanager
async def publishing(
    vhost: VirtualHost, account: str = "rs-relay", *, deadline_seconds: float = SECONDS
) -> AsyncIterator[AmqpPublisher]:
    async with AmqpSession(vhost.url(account), name="test out", deadline_seconds=deadline_seconds) as session:
        yield AmqpPublisher(session)


@asynccontextmanager
async def subscribing(
    vhost: VirtualHost,
    queues: Sequence[str] = (URGENT, NORMAL),
    *,
    account: str = "at-router",
    prefetch: int = 200,
    batch: int = 100,
) -> AsyncIterator[AmqpConsumer]:
    """A subscribed consumer; what it leaves unsettled goes back."""
    async with AmqpSession(vhost.url(account), name="test in") as session:
        consumer = AmqpConsumer(session, queues, prefetch=prefetch, batch=batch)
        await consumer.open()
        try:
            yield consumer
        finally:
            await consumer.close()


async def received(consumer: AmqpConsumer, count: int) -> list[Delivery]:
    """The next `count` deliveries, however they are cut into batches."""
    deliveries: list[Delivery] = []
    async with asyncio.timeout(SECONDS):
        while len(deliveries) < count:
            deliveries += await consumer.next_batch()
    return deliveries


async def publish_raw(vhost: VirtualHost, wire_bytes: bytes, key: str = KEY, **properties: object) -> None:
    """As a member's own program might, with properties that the bridge never sets."""
    async with await aio_pika.connect(vhost.url("rs-relay"), timeout=SECONDS) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(names.ingress_exchange("rs"), ensure=False)
        await exchange.publish(aio_pika.Message(wire_bytes, **properties), key, timeout=SECONDS)


async def taken(consumer: AmqpConsumer, count: int) -> list[Delivery]:
    """As `received`, and each batch is acknowledged."""
    deliveries: list[Delivery] = []
    async with asyncio.timeout(SECONDS):
        while len(deliveries) < count:
            batch = await consumer.next_batch()
            await consumer.acknowledge(batch)
            deliveries += batch
    return deliveries


async def depths(vhost: VirtualHost, *queues: str) -> list[int]:
    """How many messages are ready in each of the queues, at this moment (the management API lags by seconds)."""
    async with await aio_pika.connect(vhost.admin_url, timeout=SECONDS) as connection:
        channel = await connection.channel()
        declared = [await channel.declare_queue(queue, passive=True) for queue in queues]
        return [queue.declaration_result.message_count or 0 for queue in declared]


async def until_depth(vhost: VirtualHost, queue: str, expected: int) -> None:
    """Waits until so many messages are ready in the queue; fails with how many there are instead."""
    found: list[int] = []
    for _ in range(60):
        found = await depths(vhost, queue)
        if found == [expected]:
            return
        await asyncio.sleep(0.05)
    assert found == [expected]


def management(vhost: VirtualHost) -> Management:
    return Management.at(vhost.broker.management_url)


def set_policy(vhost: VirtualHost, name: str, pattern: str, definition: Mapping[str, object]) -> None:
    """A policy above those of the topology."""
    path = f"/api/policies/{quote(vhost.name, safe='')}/{quote(name, safe='')}"
    document = {"pattern": pattern, "definition": dict(definition), "apply-to": "queues", "priority": 9}
    management(vhost).request("PUT", path, document)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits until it holds: a policy, for instance, takes a moment to reach its queue."""
    async with asyncio.timeout(SECONDS):
        while not await condition():  # noqa: ASYNC110 -- what is waited for is on the broker
            await asyncio.sleep(0.05)


def delete(vhost: VirtualHost, kind: str, name: str) -> None:
    """Deletes a queue, an exchange or a policy, as an administrator would."""
    management(vhost).request("DELETE", f"/api/{kind}/{quote(vhost.name, safe='')}/{quote(name, safe='')}")


async def cut_connections(vhost: VirtualHost, *, least: int = 1) -> None:
    """Closes all connections to the virtual host over the management API, once it knows of at least so many."""
    for _ in range(200):
        _, answer = await asyncio.to_thread(management(vhost).request, "GET", "/api/connections")
        there = [entry["name"] for entry in json.loads(answer) if entry.get("vhost") == vhost.name]
        if len(there) >= least:
            break
        await asyncio.sleep(0.05)
    for name in there:
        await asyncio.to_thread(management(vhost).request, "DELETE", f"/api/connections/{quote(name, safe='')}")
