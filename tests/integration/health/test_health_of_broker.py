"""A broker in alarm, away, without our account or our queue: named on the process that meets it, and over by itself."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from broker_troubles import alarm
from node_health import failing, states_in_status, until_failing, until_ready
from service_world import ROOT, end, eventually, until

from bridge.adapters.amqp.management import Management
from bridge.core import broker_names as names
from bridge.founding.topology import apply_topology

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from service_world import World

    from broker import Access


def request(world: World, method: str, path: str, body: object = None) -> None:
    Management.at(world.vhost.broker.management_url).request(method, path, body)  # type: ignore[arg-type]  # JSON


async def test_an_alarm_of_the_broker_is_named_and_what_was_submitted_meanwhile_arrives(
    world: World, broker_node: Access
) -> None:
    async with world.running("at"), world.process("rs") as process:
        async with alarm(broker_node, "memory"):
            # when
            (sent,) = await world.submit()
            await until_failing(world, "rs", "all: service publisher", "broker_blocked")

            # then
            assert "broker_blocked" in (await states_in_status(world.configs["rs"])).values()
            assert await world.states([sent.id]) == {"pending"}

        await until(world, sent.id, "delivered")
        await until_ready(world, "rs")
        assert process.returncode is None


async def test_a_broker_that_refuses_an_account_is_named_and_believed_again_when_it_does_not(world: World) -> None:
    settings = world.settings("at")
    account = settings.contact_points[0].account
    password = (world.configs["at"].parent / account.password_file).read_text().strip()
    user = f"/api/users/{quote(account.user, safe='')}"
    async with world.running("rs"), world.process("at") as process:
        # when
        await asyncio.to_thread(request, world, "PUT", user, {"password": "another", "tags": ""})
        try:
            await cut_connections(world, account.user)
            await until_failing(world, "at", "all: broker at contact-point at.ncp", "broker_refuses_account")
            (sent,) = await world.submit()
        finally:
            await asyncio.to_thread(request, world, "PUT", user, {"password": password, "tags": ""})

        # then
        await until(world, sent.id, "delivered")
        await until_ready(world, "at")
        assert process.returncode is None


async def cut_connections(world: World, account: str) -> None:
    """As when an account is taken away: those of this virtual host only, others' tests go on."""
    management = Management.at(world.vhost.broker.management_url)

    def cut() -> bool:
        import json  # noqa: PLC0415 - here alone

        _, answer = management.request("GET", "/api/connections")
        own = [one for one in json.loads(answer) if (one.get("vhost"), one.get("user")) == (world.vhost.name, account)]
        for one in own:
            management.request("DELETE", f"/api/connections/{quote(one['name'], safe='')}")
        return bool(own)

    async def is_cut() -> bool:
        return await asyncio.to_thread(cut)

    await eventually(is_cut)


async def test_a_queue_that_was_deleted_is_named_and_consumed_again_when_it_is_back(world: World) -> None:
    (queue, *_) = names.inbox_queues("at.ncp")
    path = f"/api/queues/{quote(world.vhost.name, safe='')}/{quote(queue, safe='')}"
    async with world.running("rs"), world.process("at") as process:
        # when
        await asyncio.to_thread(request, world, "DELETE", path)
        check = await until_failing(world, "at", "all: service contact-point at.ncp", "queue_missing")
        assert queue in check.detail

        # then
        await apply_topology([world.settings(prefix) for prefix in world.configs])
        await until_ready(world, "at")
        (sent,) = await world.submit()
        await until(world, sent.id, "delivered")
        assert process.returncode is None


async def test_a_node_that_finds_no_broker_is_starting_and_says_why(world: World) -> None:
    async with unreachable(world.configs["at"]) as process:
        await until_failing(world, "at", "all: broker at", "broker_unreachable")
        found = await failing(world, "at")

        assert found["all: process"] == "starting"
        assert "all: database" not in found
        assert (await end(process))[0] == 0


@asynccontextmanager
async def unreachable(config: Path) -> AsyncIterator[Process]:
    """`ncp-bridge run` with a port at which no broker listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "run", "--config", str(config)),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "NCP_BRIDGE_BROKER__PORT": "1"},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=2**20,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
