"""A message that an administrator takes out of a queue is missed, named on both sides, asked for and delivered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import aio_pika
import pytest
from service_world import SECONDS, eventually

from bridge.adapters.store import gaps
from bridge.app.checks import check_peers
from bridge.compose import peer_chores
from bridge.core import broker_names as names

if TYPE_CHECKING:
    from service_world import World

LONG = timedelta(hours=1)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything that takes minutes takes a second."""
    monkeypatch.setenv("NCP_BRIDGE_HEARTBEAT__SECONDS", "1")
    monkeypatch.setattr(gaps, "ASK_AGAIN_AFTER", (timedelta(seconds=1), timedelta(seconds=1), LONG, LONG))
    monkeypatch.setattr(peer_chores, "ASK_SECONDS", 0.2)
    monkeypatch.setattr(check_peers, "GAP_ALARM", timedelta(seconds=0))


async def take_out(world: World, message_id: str) -> None:
    """An administrator removes one message from the country's queue, and puts the others back."""
    queue_name = names.country_queue("at", "normal")
    async with await aio_pika.connect(world.vhost.admin_url, timeout=SECONDS) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(queue_name, passive=True)
        others = []
        while (message := await queue.get(timeout=SECONDS, fail=False)) is not None:
            if message.correlation_id == message_id:
                await message.ack()
                break
            others.append(message)
        assert message is not None
        for other in others:
            await other.nack(requeue=True)


@pytest.mark.usefixtures("impatient")
async def test_a_message_taken_out_of_a_queue_is_asked_for_and_delivered(world: World) -> None:
    # given three alerts, of which an administrator takes one
    async with world.running("rs"):
        sent = [message.id for message in await world.submit(3)]

        async def are_published() -> bool:
            return await world.states(sent) == {"sent"}

        await eventually(are_published)
    await take_out(world, sent[1])
    number = (await world.recipient(sent[1])).number

    async with world.running("at"):
        # when their recipient finds the gap while the sender is away
        async def alarms() -> bool:
            async with world.node("at") as node, node.store.reading() as unit:
                return bool(await unit.audit.list(action="sequence.gap"))

        await eventually(alarms)

        # then it names the number
        async with world.node("at") as node:
            missing = {check.name: check for check in await node.status()}["sequence"]
        assert not missing.ok
        assert f"rs.ncp to at.ncp normal (epoch 1) {number}" in missing.detail

        # when the sender is back, then it sends the same bytes again
        async with world.running("rs"):

            async def is_delivered() -> bool:
                return await world.states(sent) == {"delivered"}

            await eventually(is_delivered)
            async with world.node("rs") as node, node.store.reading() as unit:
                asked = await unit.audit.list(action="sequence.asked_again")
    assert {(entry.actor, entry.detail["sent"]) for entry in asked} == {("at.ncp", str(number))}

    # and everything is there once, and nobody misses anything
    assert sorted(await world.inbox()) == sorted(sent)
    async with world.node("at") as node:
        assert {check.name: check.ok for check in await node.status()}["sequence"]
    async with world.node("rs") as node:
        assert {check.name: check.ok for check in await node.status()}["asked again"]
    assert await world.refused("at") == await world.refused("rs") == []


@pytest.mark.usefixtures("impatient")
async def test_the_last_message_of_all_is_missed_too(world: World) -> None:
    # given one alert, the only one ever, taken by an administrator
    async with world.running("rs"):
        (sent,) = await world.submit()

        async def is_published() -> bool:
            return await world.states([sent.id]) == {"sent"}

        await eventually(is_published)
    await take_out(world, sent.id)

    # when both run, then heartbeats tell
    async with world.running("rs", "at"):

        async def is_delivered() -> bool:
            return await world.states([sent.id]) == {"delivered"}

        await eventually(is_delivered)
    assert await world.inbox() == [sent.id]
