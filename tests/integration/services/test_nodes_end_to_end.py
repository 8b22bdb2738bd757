"""Two countries, all services running: alerts, receipts and answers travel; nothing broken holds up what is whole."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from service_world import eventually, until

from bridge.adapters.amqp.management import Management
from bridge.core import broker_names as names

if TYPE_CHECKING:
    from service_world import World

LANE = "normal"  # of an alert that is `expected`


async def test_an_alert_arrives_its_receipt_returns_and_so_does_the_officers_answer(world: World) -> None:
    async with world.running("rs", "at"):
        # given
        (sent,) = await world.submit()

        # when
        await until(world, sent.id, "delivered")

        # then
        async with world.node("at") as node:
            item = await node.reading.item(sent.id, contact_point="at.ncp")
            acknowledging = await node.acknowledging()
            await acknowledging.acknowledge(item, level="accepted", officer="Duty officer")

        async def is_answered() -> bool:
            return (await world.recipient(sent.id)).acknowledged_at is not None

        await eventually(is_answered)
        assert await world.refused("at") == await world.refused("rs") == []


async def test_a_broken_message_is_quarantined_and_what_is_behind_it_flows(world: World) -> None:
    async with world.running("rs", "at"):
        # given
        for broken in (b"no message at all", b"{}", b"\xff" * 2000):
            await world.inject(broken)

        # when
        (sent,) = await world.submit()
        await until(world, sent.id, "delivered")

        # then
        assert sorted(await world.refused("at")) == ["E_ENVELOPE", "E_JSON", "E_JSON"]


async def test_alerts_arrive_in_the_order_in_which_they_were_sent(world: World) -> None:
    # given
    async with world.running("rs"):
        sent = [message.id for message in await world.submit(40)]

        # when
        async with world.running("at"):

            async def is_complete() -> bool:
                return len(await world.inbox()) == len(sent)

            await eventually(is_complete)

    # then
    assert await world.inbox() == sent


async def test_a_full_inbox_waits_in_the_routers_own_outbox_and_arrives_later(world: World) -> None:
    # given: an inbox of two, and nobody who empties it
    vhost, queue = quote(world.vhost.name, safe=""), names.inbox_queue("at.ncp", LANE)
    policy = f"/api/policies/{vhost}/small"
    small = {"pattern": f"^{queue}$", "apply-to": "queues", "priority": 9}
    definition = {"max-length": 2, "overflow": "reject-publish"}
    request = Management.at(world.vhost.broker.management_url).request
    await asyncio.to_thread(request, "PUT", policy, small | {"definition": definition})
    async with world.running("rs"), world.running("at", roles=["subscriber"]):
        sent: list[str] = []

        async def is_full() -> bool:
            sent.extend([message.id for message in await world.submit(3)])
            async with world.node("at") as node, node.store.reading() as unit:
                stuck, _ = await unit.outbox.backlog("subscriber")
            return stuck >= 3

        async def is_taken_off_the_countrys_queue() -> bool:
            return await world.waiting(names.country_queue("at", LANE)) == 0

        # when
        await eventually(is_full)
        await eventually(is_taken_off_the_countrys_queue)
        await asyncio.to_thread(request, "DELETE", policy)

        # then
        async with world.running("at", roles=["contact-point"]):

            async def is_complete() -> bool:
                return len(await world.inbox()) >= len(sent)

            await eventually(is_complete)
    assert sorted(await world.inbox()) == sorted(sent)


async def test_a_subscriber_alone_routes_where_no_private_key_can_be_read(world: World) -> None:
    # given: its host has neither the key files nor the secret that opens them, nor anybody else's password
    folder = world.configs["at"].parent
    kept = {folder / "secrets" / "at-router.password"}
    for path in [folder / "keys", *(set((folder / "secrets").iterdir()) - kept)]:
        path.rename(folder / f"elsewhere-{path.name}")

    async with world.running("rs"), world.running("at", roles=["subscriber"]):
        # when
        await world.submit(3)

        # then
        async def are_routed() -> bool:
            return await world.waiting(names.inbox_queue("at.ncp", LANE)) == 3

        await eventually(are_routed)


async def test_a_broker_that_cuts_every_connection_loses_and_doubles_nothing(world: World) -> None:
    async with world.running("rs", "at"):
        # given
        sent = [message.id for message in await world.submit(60)]

        # when
        await cut_connections(world)
        sent += [message.id for message in await world.submit(10)]

        # then
        async def is_complete() -> bool:
            return await world.states(sent) == {"delivered"}

        await eventually(is_complete)
    assert sorted(await world.inbox()) == sorted(sent)


async def cut_connections(world: World) -> None:
    """Closes every connection that the broker's management knows of, and waits until it knows of some."""
    request = Management.at(world.vhost.broker.management_url).request
    cut = 0
    while not cut:
        _, answer = await asyncio.to_thread(request, "GET", "/api/connections")
        for entry in json.loads(answer):
            if entry.get("vhost") == world.vhost.name:
                path = f"/api/connections/{quote(entry['name'], safe='')}"
                await asyncio.to_thread(request, "DELETE", path)
                cut += 1
        await asyncio.sleep(0.1)
