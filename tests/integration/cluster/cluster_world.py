"""Publishing and consuming as a node does it, while the cluster under it loses nodes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bridge.adapters.amqp.consumer import AmqpConsumer
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.amqp.topology import account_names
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Publication, PublishOutcome
from broker import ClusterNode, PrivateCluster

COUNTRIES = {"rs": ["rs.ncp"], "at": ["at.ncp"]}
PASSWORD = "of-a-throw-away-broker"
QUEUE = names.country_queue("at", "normal")
QUEUES = names.country_queues("at")
KEY = names.alert_key("rs", "at", lane="normal", kind="route_alert")
SENT = datetime(2026, 11, 23, 18, 40, 1, tzinfo=UTC)
BATCH = 20
PACE_SECONDS = 0.02
AGAIN_SECONDS = 0.1
PATIENCE_SECONDS = 40.0

_numbers = itertools.count(1)


def passwords() -> dict[str, str | None]:
    return {account: PASSWORD for prefix, points in COUNTRIES.items() for account in account_names(prefix, points)}


@dataclass
class Place:
    """A virtual host on the cluster."""

    cluster: PrivateCluster
    vhost: str
    password: str

    def urls(self, account: str, *, first: ClusterNode | None = None) -> list[str]:
        """One URL for each node, the given one in front."""
        nodes = sorted(self.cluster.nodes, key=lambda node: node is not first)
        return [node.amqp_url(self.vhost, account, self.password) for node in nodes]

    def leader(self) -> ClusterNode:
        return self.cluster.leader_of(QUEUE, vhost=self.vhost)


def publication() -> Publication:
    """One from Serbia's relay to Austria's normal queue; its row id is its content."""
    row_id = f"row-{next(_numbers)}"
    return Publication(row_id, names.ingress_exchange("rs"), KEY, row_id.encode(), "route_alert", "rs.ncp", "id", SENT)


@dataclass
class Traffic:
    """What was confirmed to the publisher, and how often each row reached the consumer."""

    confirmed: set[str] = field(default_factory=set)
    received: Counter[str] = field(default_factory=Counter)
    unconfirmed: dict[str, Publication] = field(default_factory=dict)
    outcomes: Counter[PublishOutcome] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)

    async def publish(self, publisher: AmqpPublisher) -> None:
        """Rows without a confirm are published again, as the outbox does it, beside new ones."""
        while True:
            while len(self.unconfirmed) < BATCH:
                made = publication()
                self.unconfirmed[made.row_id] = made
            batch = list(self.unconfirmed.values())
            try:
                outcomes = await publisher.publish(batch)
            except UnavailableError as error:
                self.losses[f"publisher {error.code}"] += 1
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            for row, outcome in zip(batch, outcomes, strict=True):
                self.outcomes[outcome] += 1
                if outcome is PublishOutcome.CONFIRMED:
                    self.confirmed.add(row.row_id)
                    del self.unconfirmed[row.row_id]
            await asyncio.sleep(PACE_SECONDS)

    async def consume(self, consumer: AmqpConsumer) -> None:
        """Counts, then acknowledges."""
        while True:
            try:
                deliveries = await consumer.next_batch()
            except UnavailableError as error:
                self.losses[f"consumer {error.code}"] += 1
                await asyncio.sleep(AGAIN_SECONDS)
                continue
            self.received.update(delivery.wire_bytes.decode() for delivery in deliveries)
            await consumer.acknowledge(deliveries)

    async def goes_on(self, *, rows: int = 5 * BATCH) -> float:
        """Waits until so many rows more are confirmed and so many more received; the seconds it took."""
        begun = time.monotonic()
        confirmed, received = len(self.confirmed) + rows, len(self.received) + rows
        await until(lambda: len(self.confirmed) >= confirmed and len(self.received) >= received, self.describe)
        return time.monotonic() - begun

    def describe(self) -> str:
        missing = sorted(self.confirmed - self.received.keys())
        return f"{len(self.confirmed)} confirmed, {missing} not received, {self.outcomes}, {self.losses}"


@asynccontextmanager
async def traffic(place: Place, *, publish_at: ClusterNode, consume_at: ClusterNode) -> AsyncIterator[Traffic]:
    """Messages flow; on leaving, all that was confirmed must have come, or it fails with the rows that did not."""
    flowing = Traffic()
    urls_out, urls_in = place.urls("rs-relay", first=publish_at), place.urls("at-router", first=consume_at)
    async with (
        AmqpSession(lambda: Login(urls_out), name="out") as out,
        AmqpSession(lambda: Login(urls_in), name="in") as into,
    ):
        publishing = asyncio.create_task(flowing.publish(AmqpPublisher(out)))
        consumer = AmqpConsumer(into, QUEUES)
        consuming = asyncio.create_task(flowing.consume(consumer))
        try:
            yield flowing
            publishing.cancel()
            await until(lambda: flowing.confirmed <= flowing.received.keys(), flowing.describe)
        finally:
            for task in (publishing, consuming):
                task.cancel()
            await asyncio.wait([publishing, consuming])
            await consumer.close()
    for task in (publishing, consuming):
        assert task.cancelled(), task.exception()


async def until(condition: Callable[[], bool], describe: Callable[[], str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, describe()
        await asyncio.sleep(0.02)
