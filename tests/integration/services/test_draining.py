"""SIGTERM in the worst moments: the broker unreachable, stopped in the middle of everything, or without disk.

Whatever the moment, a process ends in time, and what it had in hand goes its way afterwards: nothing is lost or twice.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import pytest
from service_world import ROOT, end, eventually

from broker import PrivateNode

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Iterator

    from service_world import World

DRAIN_SECONDS = 25.0  # the default of `drain_seconds`
# Both take about a second; the rest is for a machine on which other things run.
WITHOUT_WAITING_SECONDS = 5.0
AT_ONCE_SECONDS = 8.0


@contextmanager
def silent_broker(world: World) -> Iterator[None]:
    """The broker's process is stopped; it is there again afterwards."""
    node = world.vhost.broker
    if not isinstance(node, PrivateNode):
        pytest.skip("only a private node can be stopped")
    node.pause()
    try:
        yield
    finally:
        node.resume()


@asynccontextmanager
async def without_broker(world: World, prefix: str) -> AsyncIterator[Process]:
    """`ncp-bridge run` that looks for its broker where nobody is."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "run", "--config", str(world.configs[prefix])),
        cwd=ROOT,
        env={"NCP_BRIDGE_BROKER__PORT": "1", "PATH": ""},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def all_arrive(world: World, sent: list[str]) -> None:
    async with world.running("rs", "at"):

        async def is_complete() -> bool:
            return await world.states(sent) == {"delivered"}

        await eventually(is_complete, seconds=60)
    assert sorted(await world.inbox()) == sorted(sent)


async def test_a_broker_that_cannot_be_reached_holds_up_no_drain(world: World) -> None:
    async with without_broker(world, "rs") as process:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            while b"service.unavailable" not in await process.stderr.readline():
                pass

        # when
        begun = time.monotonic()
        status, log = await end(process)
        seconds = time.monotonic() - begun

    # then
    print(f"\ndrained after {seconds:.2f} s")  # noqa: T201 -- the figure is for docs/operations.md
    assert (status, seconds < WITHOUT_WAITING_SECONDS) == (0, True)
    assert "service.drain_timeout" not in [line["event"] for line in log]


async def test_a_broker_that_falls_silent_in_full_flow_holds_up_no_drain_and_nothing_is_lost(world: World) -> None:
    # given
    async with world.process("rs") as serbia, world.process("at") as austria:
        sent = [message.id for message in await world.submit(40)]
        with silent_broker(world):
            sent += [message.id for message in await world.submit(10)]

            # when
            begun = time.monotonic()
            ends = await asyncio.gather(*(end(process, seconds=DRAIN_SECONDS + 5) for process in (serbia, austria)))
            seconds = time.monotonic() - begun

    # then
    print(f"\ndrained after {seconds:.2f} s")  # noqa: T201 -- the figure is for docs/operations.md
    assert seconds < DRAIN_SECONDS
    for status, log in ends:
        assert status == 0
        assert not {"service.fault", "service.drain_timeout"} & {line["event"] for line in log}
    await all_arrive(world, sent)


async def test_the_second_sigterm_is_obeyed_at_once_although_the_broker_is_silent(world: World) -> None:
    # given
    async with world.process("rs") as serbia, world.process("at") as austria:
        sent = [message.id for message in await world.submit(40)]
        with silent_broker(world):
            for process in (serbia, austria):
                process.send_signal(signal.SIGTERM)
            await asyncio.sleep(0.5)

            # when
            begun = time.monotonic()
            ends = await asyncio.gather(*(end(process) for process in (serbia, austria)))
            seconds = time.monotonic() - begun

    # then
    print(f"\nended after {seconds:.2f} s")  # noqa: T201 -- the figure is for docs/operations.md
    assert seconds < AT_ONCE_SECONDS
    assert [[line["event"] for line in log].count("service.draining") for _, log in ends] == [2, 2]
    await world.release_leases()
    await all_arrive(world, sent)


async def test_a_database_that_somebody_keeps_holds_up_a_drain_for_no_longer_than_it_may(world: World) -> None:
    # given
    async with world.process("rs") as serbia, world.process("at") as austria:
        sent = [message.id for message in await world.submit(20)]
        async with world.node("rs") as node, node.store.writing():
            # when
            begun = time.monotonic()
            ends = await asyncio.gather(*(end(process, seconds=DRAIN_SECONDS + 5) for process in (serbia, austria)))
            seconds = time.monotonic() - begun

    # then
    print(f"\ndrained after {seconds:.2f} s")  # noqa: T201 -- the figure is for docs/operations.md
    assert seconds < DRAIN_SECONDS
    assert [status for status, _ in ends] == [0, 0]
    await world.release_leases()
    await all_arrive(world, sent)
