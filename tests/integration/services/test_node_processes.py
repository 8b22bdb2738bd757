"""`ncp-bridge run` as a process: it drains on a signal, stops at once on the second, and survives being killed."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from service_world import end, eventually, until

from bridge.core import broker_names as names

if TYPE_CHECKING:
    from service_world import World

FEW_SECONDS = 5.0


async def test_sigterm_drains_and_exits_with_status_0_within_seconds(world: World) -> None:
    async with world.process("rs") as serbia, world.process("at") as austria:
        # given: traffic in full flow
        sent = [message.id for message in await world.submit(30)]

        # when
        begun = time.monotonic()
        status, log = await end(austria)
        seconds = time.monotonic() - begun

        # then
        assert (status, seconds < FEW_SECONDS) == (0, True)
        events = [line["event"] for line in log]
        assert {"service.ready", "service.draining", "service.stopped"} <= set(events)
        assert not {"service.fault", "service.unavailable", "service.drain_timeout"} & set(events)

        # and then: whoever comes after finds the rest
        async with world.running("at"):

            async def is_complete() -> bool:
                return await world.states(sent) == {"delivered"}

            await eventually(is_complete)
        assert sorted(await world.inbox()) == sorted(sent)
        assert (await end(serbia))[0] == 0


async def test_the_second_sigterm_stops_at_once_what_the_first_could_not(world: World) -> None:
    # given: a writer elsewhere keeps the database, so that a batch in hand cannot be finished
    async with world.running("rs"), world.process("at") as process, world.node("at") as node, node.store.writing():
        await world.submit()
        await asyncio.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.5)
        assert process.returncode is None

        # when
        begun = time.monotonic()
        status, log = await end(process)

    # then
    assert time.monotonic() - begun < FEW_SECONDS
    assert status in {0, -signal.SIGTERM}
    assert [line["event"] for line in log].count("service.draining") == 2


async def test_a_node_killed_again_and_again_loses_and_doubles_nothing(world: World) -> None:
    # given
    sent: list[str] = []
    async with world.running("at"):
        pass  # makes the database
    for seconds in (0.05, 0.25):
        async with AsyncExitStack() as stack:
            processes = [await stack.enter_async_context(world.process(prefix)) for prefix in ("rs", "at")]
            sent += [message.id for message in await world.submit(25)]

            # when: between publish and mark, between commit and acknowledgement, or anywhere else
            await asyncio.sleep(seconds)
            for process in processes:
                process.kill()

    # then: rows that a killed relay had leased come last, a minute later; the others at once
    await world.release_leases()
    async with world.running("rs", "at"):

        async def is_complete() -> bool:
            return await world.states(sent) == {"delivered"}

        await eventually(is_complete)
    assert sorted(await world.inbox()) == sorted(sent)


async def test_each_role_works_in_a_process_of_its_own_over_one_database(world: World) -> None:
    async with world.running("rs"), AsyncExitStack() as stack:
        # given
        roles = ("publisher", "subscriber", "contact-point")
        processes = [await stack.enter_async_context(world.process("at", role)) for role in roles]

        # when
        (sent,) = await world.submit()

        # then: routed, received, and the receipt published back
        await until(world, sent.id, "delivered")
        for process in processes:
            assert (await end(process))[0] == 0


async def test_a_role_does_only_its_own_work(world: World) -> None:
    async with world.running("rs", roles=["publisher"]):
        # given
        await world.submit()

        # when
        async def is_there() -> bool:
            return await world.waiting(names.country_queue("at", "normal")) == 1

        await eventually(is_there)

        # then: routed by a subscriber, and by nobody else
        async with world.running("at", roles=["contact-point", "publisher"]):
            await asyncio.sleep(0.3)
            assert await is_there()
