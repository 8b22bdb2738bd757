"""What the broker gave up on takes the ordinary path: it is judged anew; what fails is quarantined with its origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

import aio_pika
import pytest
from service_world import SECONDS, eventually, until

from bridge.adapters.amqp.management import Management
from bridge.core import broker_names as names

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel
    from service_world import World

LANE = "normal"  # of an alert that is `expected`
COUNTRY = names.country_queue("at", LANE)
INBOX = names.inbox_queue("at.ncp", LANE)
DEAD = names.dead_queue("at")
LIMIT = 2
GARBAGE = b"no message at all"


@asynccontextmanager
async def administrating(world: World) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(world.vhost.admin_url, timeout=SECONDS) as connection:
        yield await connection.channel()


async def limit_deliveries(world: World, queue: str) -> None:
    """A policy above the topology's, which it repeats but for the limit."""
    definition = {
        "delivery-limit": LIMIT,
        "dead-letter-exchange": names.DEAD,
        "dead-letter-routing-key": "at",
        "dead-letter-strategy": "at-least-once",
        "overflow": "reject-publish",
    }
    document = {"pattern": f"^{queue.replace('.', chr(92) + '.')}$", "apply-to": "queues", "priority": 9}
    path = f"/api/policies/{quote(world.vhost.name, safe='')}/limit"
    request = Management.at(world.vhost.broker.management_url).request
    await asyncio.to_thread(request, "PUT", path, document | {"definition": definition})


async def deliver_until_dead(world: World, queue: str, *, count: int) -> None:
    """Takes what is in the queue and gives it back, until so many messages have become dead letters."""
    async with administrating(world) as channel:
        taken_from = await channel.get_queue(queue, ensure=False)

        async def are_dead() -> bool:
            message = await taken_from.get(fail=False, timeout=SECONDS)
            if message is not None:
                await message.nack(requeue=True)
            return await world.waiting(DEAD) == count

        await eventually(are_dead)
        assert await world.waiting(queue) == 0


async def put(world: World, queue: str, wire_bytes: bytes) -> None:
    """As only an administrator could, past every exchange."""
    async with administrating(world) as channel:
        await channel.default_exchange.publish(aio_pika.Message(wire_bytes), queue, timeout=SECONDS)


async def quarantined(world: World) -> list[tuple[str, str, str | None]]:
    """(code, queue, holder) of what Austria refused."""
    async with world.node("at") as node, node.store.reading() as unit:
        return [(one.code, one.queue, one.contact_point) for one in await unit.refusals.list()]


@pytest.mark.parametrize("queue", [COUNTRY, INBOX])
async def test_a_dead_letter_reaches_its_contact_point_and_a_broken_one_is_quarantined(
    world: World, queue: str
) -> None:
    # given: a message and garbage that were delivered too often, by a country's queue or by an inbox
    await limit_deliveries(world, queue)
    async with world.running("rs"):
        (sent,) = await world.submit()

        async def has_left() -> bool:
            return await world.waiting(COUNTRY, INBOX) == 1

        await eventually(has_left)
        if queue == INBOX:
            async with world.running("at", roles=["subscriber"]):

                async def is_routed() -> bool:
                    return await world.waiting(INBOX) == 1

                await eventually(is_routed)
        await put(world, queue, GARBAGE)
        await deliver_until_dead(world, queue, count=2)

        # when
        async with world.running("at"):
            await until(world, sent.id, "delivered")

            # then
            async def is_refused() -> bool:
                return await quarantined(world) == [("E_JSON", DEAD, None)]

            await eventually(is_refused)
            assert await world.inbox() == [sent.id]
            assert await world.waiting(DEAD, COUNTRY, INBOX) == 0
