"""A flood of garbage holds up nothing that is whole, whichever lane it comes in; the same bytes are kept once."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING

import aio_pika
import pytest
from service_world import SECONDS, eventually, until

from bridge.core import broker_names as names

if TYPE_CHECKING:
    from service_world import World

FLOOD = 2000
TWICE = 500  # of them come a second time
# Measured on two cores that others used as well: 1.3 s behind the urgent lane, 2.1 s in its own lane.
AT_MOST_SECONDS = 15.0


async def flood(world: World, key: str) -> None:
    """Garbage of every kind, published with a member's own account."""
    settings = world.settings("rs")
    broken = [f'{{"payload": "{number}"}}'.encode() * (1 + number % 3) for number in range(FLOOD - TWICE)]
    async with await aio_pika.connect(settings.amqp_urls(settings.broker.relay)[0], timeout=SECONDS) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(names.ingress_exchange("rs"), ensure=False)
        for start in range(0, FLOOD, 250):
            some = [broken[index % len(broken)] for index in range(start, start + 250)]
            messages = [exchange.publish(aio_pika.Message(wire), key, timeout=SECONDS) for wire in some]
            await asyncio.gather(*messages)


@pytest.mark.parametrize("lane", names.LANES)
async def test_two_thousand_broken_messages_delay_a_whole_one_by_little(world: World, lane: str) -> None:
    # given: a flood that waits, in the lane of the whole message or in the one that is served before it
    key = names.alert_key("rs", "at", lane=lane, kind="route_alert")
    await flood(world, key)
    assert await world.waiting(names.country_queue("at", lane)) == FLOOD
    async with world.running("rs"):
        (sent,) = await world.submit()

        # when
        async with world.running("at"):
            begun = time.monotonic()
            await until(world, sent.id, "delivered")
            seconds = time.monotonic() - begun
            print(f"{lane}: delivered behind {FLOOD} broken messages after {seconds:.2f} s")  # noqa: T201 - a measure

            # then
            async def is_judged() -> bool:
                return await world.waiting(*names.country_queues("at")) == 0 and await seen(world) == FLOOD

            await eventually(is_judged)
    assert seconds < AT_MOST_SECONDS
    async with world.node("at") as node, node.store.reading() as unit:
        kept = await unit.refusals.list(limit=10 * FLOOD)
        total = await unit.refusals.total()
    assert Counter(one.seen for one in kept) == {1: FLOOD - 2 * TWICE, 2: TWICE}
    assert total.kept_bytes == sum(one.size for one in kept)
    assert {one.contact_point for one in kept} == {None}


async def seen(world: World) -> int:
    """How many broken messages Austria has counted."""
    async with world.node("at") as node, node.store.reading() as unit:
        return sum(one.seen for one in await unit.refusals.list(limit=10 * FLOOD))
