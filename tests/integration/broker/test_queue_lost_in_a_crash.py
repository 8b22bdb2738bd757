"""A broker killed right after it made a quorum queue may come back with the queue's name and without the queue.

It is then listed as running and answers nothing; declaring it again changes nothing. The node names it, and goes on by
itself once the operator has deleted it and applied the topology again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import aio_pika
import aiormq.exceptions
import pytest
from servers.broker_fixtures import topology_of

from bridge.adapters.amqp.apply import apply_over_management
from bridge.adapters.amqp.consumer import AmqpConsumer
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.amqp.topology import account_names
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Publication, PublishOutcome
from broker import PrivateNode

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("broker_node")]  # skips where there is no RabbitMQ

COUNTRIES = {"rs": ["rs.ncp"], "at": ["at.ncp"]}
PASSWORDS = {
    account: "of-a-throw-away-broker"
    for prefix, points in COUNTRIES.items()
    for account in account_names(prefix, points)
}
TOPOLOGY = topology_of(COUNTRIES, PASSWORDS)
QUEUE = names.country_queue("at", "normal")
HEALTHY = names.country_queue("at", "urgent")
SENT = datetime(2026, 11, 23, 18, 40, 1, tzinfo=UTC)
SETTLED_SECONDS = 1.0
ATTEMPTS = 5  # so often the broker may keep the queue after all
DEADLINE_SECONDS = 2.0


@pytest.fixture(scope="module")
def node() -> Iterator[PrivateNode]:
    """A node of the tests' own, killed once, a second after its topology was applied."""
    with PrivateNode() as running:
        asyncio.run(apply_over_management(running.management_url, TOPOLOGY, vhost="/"))
        time.sleep(SETTLED_SECONDS)
        running.kill()
        running.restart()
        yield running


async def delete_the_queue(node: PrivateNode) -> None:
    """Returns when a queue of this name can be made again; at once it would be refused with an internal error."""
    await asyncio.to_thread(Management.at(node.management_url).request, "DELETE", f"/api/queues/%2F/{QUEUE}")
    await asyncio.sleep(SETTLED_SECONDS)


async def lose_the_queue(node: PrivateNode) -> bool:
    """Makes the queue anew and kills the broker at once; whether the queue answers nothing any more."""
    await delete_the_queue(node)
    connection = await aio_pika.connect(node.amqp_url())
    channel = await connection.channel()
    await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
    node.kill()
    with contextlib.suppress(aiormq.exceptions.AMQPError, ConnectionError):
        await connection.close()
    await asyncio.to_thread(node.restart)
    async with await aio_pika.connect(node.amqp_url()) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(QUEUE, ensure=False)
        try:
            await queue.get(fail=False, timeout=DEADLINE_SECONDS)
        except TimeoutError:
            return True
    return False


async def test_a_topology_that_stood_for_a_second_survived_the_kill(node: PrivateNode) -> None:
    relay = node.amqp_url("/", "rs-relay", PASSWORDS["rs-relay"])
    async with AmqpSession(relay, name="out") as outgoing:
        assert await AmqpPublisher(outgoing).publish([publication()]) == [PublishOutcome.CONFIRMED]


async def test_a_queue_that_was_lost_is_named_and_works_again_once_it_was_deleted_and_applied(
    node: PrivateNode,
) -> None:
    # given
    for _ in range(ATTEMPTS):
        if await lose_the_queue(node):
            break
    else:
        pytest.skip(f"the broker kept the queue {ATTEMPTS} times")
    router = node.amqp_url("/", "at-router", PASSWORDS["at-router"])
    relay = node.amqp_url("/", "rs-relay", PASSWORDS["rs-relay"])

    async with (
        AmqpSession(router, name="in", deadline_seconds=DEADLINE_SECONDS) as incoming,
        AmqpSession(relay, name="out", deadline_seconds=DEADLINE_SECONDS) as outgoing,
    ):
        # when: applied again, it stays lost
        await apply_over_management(node.management_url, TOPOLOGY, vhost="/")
        consumer = AmqpConsumer(incoming, [HEALTHY, QUEUE])
        with pytest.raises(UnavailableError) as caught:
            await consumer.next_batch()

        # then
        assert caught.value.code == "E_BROKER_MISSING"
        assert QUEUE in caught.value.message
        assert await AmqpPublisher(outgoing).publish([publication()]) == [PublishOutcome.UNKNOWN]

        # when
        await delete_the_queue(node)
        await apply_over_management(node.management_url, TOPOLOGY, vhost="/")

        # then: the same sessions, the same consumer
        assert await AmqpPublisher(outgoing).publish([publication()]) == [PublishOutcome.CONFIRMED]
        async with asyncio.timeout(DEADLINE_SECONDS * 5):
            (delivery,) = await consumer.next_batch()
        await consumer.acknowledge([delivery])
        assert delivery.wire_bytes == b"{}"
        await consumer.close()


def publication() -> Publication:
    key = names.alert_key("rs", "at", lane="normal", kind="route_alert")
    return Publication("row", names.ingress_exchange("rs"), key, b"{}", "route_alert", "rs.ncp", "id-1", SENT)
