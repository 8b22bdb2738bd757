"""The consumer on a real broker: in order, in batches, each delivery settled once, every loss noticed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from amqp_world import (
    NORMAL,
    URGENT,
    URGENT_KEY,
    cut_connections,
    delete,
    publication,
    publications,
    publishing,
    received,
    subscribing,
    taken,
    until_depth,
)

from bridge.adapters.amqp.consumer import consuming
from bridge.adapters.amqp.session import AmqpSession
from bridge.core.errors import UnavailableError

if TYPE_CHECKING:
    from servers.broker_fixtures import VirtualHost

    from bridge.adapters.amqp.consumer import AmqpConsumer
    from bridge.ports.broker import Delivery


async def publish(vhost: VirtualHost, count: int, *, urgent: int = 0) -> None:
    async with publishing(vhost) as publisher:
        await publisher.publish(publications(count) + publications(urgent, routing_key=URGENT_KEY))


async def buffered(consumer: AmqpConsumer, count: int) -> None:
    """Waits until so many deliveries are here and not handed out."""
    subscription = await consumer.open()
    async with asyncio.timeout(5):
        while sum(len(lane.waiting) for lane in subscription._lanes) < count:  # noqa: ASYNC110 -- they arrive in tasks of the library
            await asyncio.sleep(0.01)


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [int(delivery.wire_bytes) for delivery in deliveries]


async def test_urgent_messages_overtake_a_backlog_and_batches_keep_their_size(vhost: VirtualHost) -> None:
    # given
    await publish(vhost, 30, urgent=5)

    async with subscribing(vhost, batch=20) as consumer:
        await buffered(consumer, 35)

        # when
        first, second = await consumer.next_batch(), await consumer.next_batch()

    # then
    assert [delivery.queue for delivery in first] == [URGENT] * 5 + [NORMAL] * 15
    assert numbers(list(first[5:])) + numbers(list(second)) == list(range(30))


async def test_no_more_than_the_prefetch_is_here_unsettled(vhost: VirtualHost) -> None:
    await publish(vhost, 30)
    async with subscribing(vhost, prefetch=10) as consumer:
        # given
        await buffered(consumer, 10)
        await asyncio.sleep(0.1)
        batch = await consumer.next_batch()

        # then
        assert numbers(batch) == list(range(10))
        await until_depth(vhost, NORMAL, 20)
        await consumer.acknowledge(batch)
        assert numbers(await taken(consumer, 20)) == list(range(10, 30))


@pytest.mark.parametrize(
    ("settled", "kept"),
    [
        (range(10), set(range(10, 20))),
        (range(5, 10), {*range(5), *range(10, 20)}),
        ([0, 1, 2, 7, 19], set(range(3, 19)) - {7}),
        ([19], set(range(19))),
        ([], set(range(20))),
    ],
    ids=["a run from the front", "a run behind others", "a run and single ones", "the last only", "none"],
)
async def test_acknowledging_reaches_exactly_what_was_acknowledged(
    vhost: VirtualHost, settled: list[int], kept: set[int]
) -> None:
    # given: of forty, twenty are handed out, the others wait here
    await publish(vhost, 40)
    async with subscribing(vhost, batch=20) as consumer:
        await buffered(consumer, 40)
        batch = await consumer.next_batch()

        # when
        await consumer.acknowledge([batch[number] for number in settled])

    # then
    async with subscribing(vhost) as consumer:
        again = await received(consumer, 20 + len(kept))
        assert all(delivery.redelivered for delivery in again)
    assert sorted(numbers(again)) == sorted(kept | set(range(20, 40)))


async def test_acknowledging_in_any_order_or_twice_settles_once(vhost: VirtualHost) -> None:
    await publish(vhost, 12, urgent=3)
    async with subscribing(vhost) as consumer:
        # given
        deliveries = await received(consumer, 15)

        # when
        await consumer.acknowledge(deliveries[9:])
        await consumer.acknowledge(deliveries)
        await consumer.acknowledge(deliveries[:4])
        await consumer.give_back(deliveries)

        # then: the channels are whole, nothing is left
        await publish(vhost, 1)
        await taken(consumer, 1)
    await until_depth(vhost, NORMAL, 0)
    await until_depth(vhost, URGENT, 0)


async def test_what_is_given_back_comes_again_and_the_rest_does_not(vhost: VirtualHost) -> None:
    await publish(vhost, 10)
    async with subscribing(vhost) as consumer:
        # given
        deliveries = await received(consumer, 10)

        # when
        await consumer.give_back(deliveries[2:5])
        await consumer.acknowledge(deliveries[:2] + deliveries[5:])

        # then
        again = await taken(consumer, 3)
        assert sorted(numbers(again)) == [2, 3, 4]
    await until_depth(vhost, NORMAL, 0)


async def test_a_drain_gives_back_what_waits_and_leaves_what_was_handed_out_to_be_settled(vhost: VirtualHost) -> None:
    await publish(vhost, 40, urgent=2)
    async with subscribing(vhost, batch=10) as consumer:
        # given
        await buffered(consumer, 42)
        batch = await consumer.next_batch()

        # when
        await consumer.drain()
        await until_depth(vhost, NORMAL, 32)
        await consumer.acknowledge(batch)
        await publish(vhost, 1)

    # then
    await until_depth(vhost, NORMAL, 33)
    await until_depth(vhost, URGENT, 0)


async def test_what_was_not_settled_when_the_connection_was_cut_comes_again_and_settles_anew(
    vhost: VirtualHost,
) -> None:
    await publish(vhost, 10)
    async with subscribing(vhost) as consumer:
        # given
        deliveries = await received(consumer, 10)
        await consumer.acknowledge(deliveries[:3])

        # when
        await cut_connections(vhost)
        with pytest.raises(UnavailableError) as caught:
            async with asyncio.timeout(5):
                await consumer.next_batch()
        again = await received(consumer, 7)
        await consumer.acknowledge(deliveries)  # of the lost connection: settles nothing of this one
        await consumer.acknowledge(again[:2])

    # then
    assert caught.value.code == "E_BROKER_LOST"
    assert sorted(numbers(again)) == list(range(3, 10))
    assert all(delivery.redelivered for delivery in again)
    await until_depth(vhost, NORMAL, 5)


async def test_a_deleted_queue_is_noticed_within_a_second(vhost: VirtualHost) -> None:
    async with subscribing(vhost) as consumer:
        # given
        waiting = asyncio.create_task(consumer.next_batch())
        await asyncio.sleep(0.05)

        # when
        begun = time.monotonic()
        await asyncio.to_thread(delete, vhost, "queues", URGENT)

        # then
        with pytest.raises(UnavailableError, match=f"ended the consumer of {URGENT}") as caught:
            async with asyncio.timeout(5):
                await waiting
        assert time.monotonic() - begun < 1
        assert caught.value.code == "E_BROKER_MISSING"
        with pytest.raises(UnavailableError) as again:
            await consumer.next_batch()
        assert again.value.code == "E_BROKER_MISSING"


async def test_a_lost_subscription_to_one_queue_gives_the_other_queues_messages_back(vhost: VirtualHost) -> None:
    await publish(vhost, 5)
    async with subscribing(vhost) as consumer:
        # given
        await received(consumer, 5)

        # when
        await asyncio.to_thread(delete, vhost, "queues", URGENT)
        with pytest.raises(UnavailableError):
            await consumer.next_batch()

        # then
        await until_depth(vhost, NORMAL, 5)


async def test_a_queue_of_somebody_else_is_refused_with_a_sentence(vhost: VirtualHost) -> None:
    async with AmqpSession(vhost.url("rs-router"), name="test") as session:
        with pytest.raises(
            UnavailableError, match=r"does not let the account rs-router do this: .*country\.at"
        ) as caught:
            async with consuming(session, (NORMAL,)):
                pass
    assert caught.value.code == "E_BROKER_REFUSED"


async def test_waiting_for_a_batch_can_be_given_up_without_losing_a_message(vhost: VirtualHost) -> None:
    async with subscribing(vhost) as consumer:
        # given
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.02):
                    await consumer.next_batch()

        # when
        await publish(vhost, 20)

        # then
        assert numbers(await taken(consumer, 20)) == list(range(20))


async def test_publishing_and_consuming_go_on_side_by_side(vhost: VirtualHost) -> None:
    async with subscribing(vhost, prefetch=50, batch=20) as consumer, publishing(vhost) as publisher:
        # when
        consumed = asyncio.create_task(taken(consumer, 1000))
        for _ in range(10):
            await publisher.publish([publication(str(number).encode()) for number in range(100)])

        # then
        assert sorted(numbers(await consumed)) == sorted(list(range(100)) * 10)
    await until_depth(vhost, NORMAL, 0)
