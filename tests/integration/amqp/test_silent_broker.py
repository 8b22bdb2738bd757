"""A broker that is there and does not answer: out of memory or disk, or stopped in the middle of everything."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from amqp_world import NORMAL, depths, eventually, publication, publications, publishing, subscribing, taken
from broker_troubles import alarm, silent

from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.core.errors import UnavailableError
from bridge.ports.broker import PublishOutcome

if TYPE_CHECKING:
    from servers.broker_fixtures import VirtualHost

    from broker import Access

CONFIRMED, UNKNOWN = PublishOutcome.CONFIRMED, PublishOutcome.UNKNOWN


async def test_a_broker_that_falls_silent_is_given_up_by_its_heartbeat_and_found_again(
    vhost: VirtualHost, broker_node: Access
) -> None:
    async with AmqpSession(vhost.url("rs-relay"), name="test", heartbeat_seconds=1, deadline_seconds=30) as session:
        # given
        publisher = AmqpPublisher(session)
        assert await publisher.publish([publication()]) == [CONFIRMED]

        # when: three heartbeats pass long before the deadline does
        with silent(broker_node):
            async with asyncio.timeout(15):
                outcomes = await publisher.publish(publications(3))

        # then
        assert outcomes == [UNKNOWN] * 3
        assert await publisher.publish([publication()]) == [CONFIRMED]
        assert session.status.connects == 2


async def test_a_publish_into_silence_is_unknown_at_its_deadline_and_the_same_row_goes_out_again(
    vhost: VirtualHost, broker_node: Access
) -> None:
    # given
    row = publication()
    async with publishing(vhost, deadline_seconds=0.5) as publisher:
        assert await publisher.publish([publication()]) == [CONFIRMED]

        # when
        with silent(broker_node):
            outcomes = await publisher.publish([row])

        # then
        assert outcomes == [UNKNOWN]

        async def is_confirmed() -> bool:
            return await publisher.publish([row]) == [CONFIRMED]

        await eventually(is_confirmed)


async def test_a_broker_without_disk_takes_no_messages_and_still_gives_and_settles_them(
    vhost: VirtualHost, broker_node: Access
) -> None:
    async with publishing(vhost, deadline_seconds=0.5) as publisher:
        # given
        assert await publisher.publish(publications(5)) == [CONFIRMED] * 5

        # when
        async with alarm(broker_node):
            outcomes = await publisher.publish(publications(2))
            with pytest.raises(UnavailableError, match="takes no messages now") as caught:
                await publisher.publish(publications(2))

            # then
            assert outcomes == [UNKNOWN] * 2
            assert caught.value.code == "E_BROKER_BLOCKED"
            async with subscribing(vhost) as consumer:
                await taken(consumer, 5)
            assert await depths(vhost, NORMAL) == [0]

        # and then
        async def is_confirmed() -> bool:
            try:
                return await publisher.publish([publication()]) == [CONFIRMED]
            except UnavailableError:
                return False

        await eventually(is_confirmed)
