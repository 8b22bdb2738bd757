"""A disk that fills up, a database that cannot be written: named, nothing lost, and over without a restart."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from node_health import failing, states_in_status, status, until_failing, until_ready, use_postgres
from servers.small_disks import MIB
from service_world import ALERT, ROOT, end, eventually
from sqlalchemy.engine import make_url

from bridge.core import broker_names as names

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from servers.small_disks import SmallDisk
    from service_world import World

ALERTS = 12
INBOX = names.inbox_queues("at.ncp")
COUNTRY = names.country_queues("at")


async def until_arrived(world: World, sent: list[str], process: Process) -> None:
    """All are in Austria's inbox and confirmed, each once, and it is still the same process."""

    async def is_complete() -> bool:
        return await world.states(sent) == {"delivered"}

    await eventually(is_complete, seconds=40)
    assert sorted(await world.inbox()) == sorted(sent)
    assert process.returncode is None


async def test_below_the_reserve_nothing_is_taken_from_the_broker_and_it_goes_on_by_itself(
    world_on_disk: World, disk: SmallDisk
) -> None:
    world = world_on_disk
    async with world.running("rs"), world.process("at") as process:
        # given: room for the outbox still, but less than a tenth of the disk
        disk.fill(leave_bytes=2 * MIB)
        await until_failing(world, "at", "all: disk", "disk_full")

        # when
        sent = [message.id for message in await world.submit(ALERTS)]
        check = await until_failing(world, "at", "all: service subscriber at", "disk_full")

        # then
        assert "nothing is received until there is more room" in check.detail
        assert await world.states(sent) <= {"pending", "sent"}
        assert await world.inbox() == []
        assert "disk_full" in (await states_in_status(world.configs["at"])).values()

        # and there is room to send, and to mark what was sent
        code, own = await status(world.configs["at"], "alert", "submit", str(ALERT), "--yes", "--partial")
        assert code == 0, own

        async def is_marked() -> bool:
            async with world.node("at") as node, node.store.reading() as unit:
                message = await unit.ledger.get(own["id"])
                return message is not None and {recipient.state for recipient in message.recipients} == {"sent"}

        await eventually(is_marked)
        assert await failing(world, "at") != {}

        # and when
        disk.empty()

        # then
        await until_arrived(world, sent, process)
        await until_ready(world, "at")
        assert (await end(process))[0] == 0


async def test_on_a_disk_that_is_full_to_the_last_byte_nothing_is_acknowledged_that_is_not_stored(
    world_on_disk: World, disk: SmallDisk
) -> None:
    # given: an operator who wanted no reserve
    world = world_on_disk
    config = world.configs["at"]
    config.write_text("disk_reserve_mib = 0\n" + config.read_text("utf-8"), "utf-8")
    async with world.running("rs"), world.process("at") as process:
        disk.fill()

        # when
        sent = [message.id for message in await world.submit(ALERTS)]
        await until_failing(world, "at", "all: service contact-point at.ncp", "disk_full")

        # then: whatever is not stored is still with the broker, once the consumers have let go of it
        async def is_all_there() -> bool:
            waiting = await world.waiting(*INBOX, *COUNTRY)
            return len(await world.inbox()) + waiting >= ALERTS

        await eventually(is_all_there)

        # and when
        disk.empty()

        # then
        await until_arrived(world, sent, process)
        await until_ready(world, "at")


@contextmanager
def locked(config: Path) -> Iterator[None]:
    """Another program keeps Austria's database."""
    with contextlib.closing(sqlite3.connect(config.parent / "node.db", isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


async def test_a_locked_database_is_named_within_the_deadline_and_passes(world: World) -> None:
    async with world.running("rs"), world.process("at") as process:
        # when
        with locked(world.configs["at"]):
            sent = [message.id for message in await world.submit(ALERTS)]
            await until_failing(world, "at", "all: database", "database_locked")
            assert await world.states(sent) <= {"pending", "sent"}

        # then
        await until_arrived(world, sent, process)
        await until_ready(world, "at")


async def test_a_drain_that_waits_says_so_and_a_process_that_was_killed_is_not_running(world: World) -> None:
    config = world.configs["at"]
    async with world.running("rs"), world.process("at") as process:
        assert await failing(world, "at") == {}
        with locked(config):
            await world.submit()
            await until_failing(world, "at", "all: database", "database_locked")

            # when
            process.terminate()

            # then
            await until_failing(world, "at", "all: process", "draining")
            process.kill()
            await process.wait()

        assert (await states_in_status(config))["all: process"] == "not_running"


async def test_a_file_system_that_can_only_be_read_is_named_and_the_node_goes_on_once_it_can_be_written(
    world_on_disk: World, disk: SmallDisk
) -> None:
    world, config = world_on_disk, world_on_disk.configs["at"]
    async with world.running("rs"):
        # given: nobody has a file open there, or the kernel would not let us make it read-only
        async with world.process("at"):
            pass
        (sent,) = await world.submit()
        disk.set_read_only(True)

        # when
        found = await states_in_status(config)
        code, said = await run(config)

        # then
        assert (found["all: process"], found["database"]) == ("not_running", "database_read_only")
        assert code == 4
        assert "the database can only be read" in said

        # and when a supervisor starts it again once it can be written
        disk.set_read_only(False)
        async with world.process("at") as process:
            await until_arrived(world, [sent.id], process)
            await until_ready(world, "at")


async def test_a_postgresql_that_can_only_be_read_or_lets_nobody_in_is_named_and_passes(
    world: World, postgres_url: str
) -> None:
    # given
    use_postgres(world.configs["at"], postgres_url)
    name = make_url(postgres_url).database
    server = make_url(postgres_url).set(database="postgres").render_as_string(hide_password=False)
    end_sessions = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    faults = {
        "database_read_only": ("SET default_transaction_read_only = on", "RESET default_transaction_read_only"),
        "database_unreachable": ("ALLOW_CONNECTIONS false", "ALLOW_CONNECTIONS true"),
    }
    sent: list[str] = []
    async with world.running("rs"), world.process("at") as process:
        for state, (begin, finish) in faults.items():
            # when
            await execute(server, f'ALTER DATABASE "{name}" {begin}', end_sessions)
            try:
                sent += [message.id for message in await world.submit(ALERTS)]
                await until_failing(world, "at", "all: database", state)
                await until_failing(world, "at", "all: service contact-point at.ncp", state)
            finally:
                await execute(server, f'ALTER DATABASE "{name}" {finish}', end_sessions)

            # then
            await until_arrived(world, sent, process)
            await until_ready(world, "at")


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url, timeout=30)
    try:
        for statement in statements:
            await connection.execute(statement, timeout=30)
    finally:
        await connection.close(timeout=30)


async def run(config: Path) -> tuple[int | None, str]:
    """`ncp-bridge run` where it cannot: the exit status and what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bridge", "run", "--config", str(config)), cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(30):
        _, said = await process.communicate()
    return process.returncode, said.decode()
