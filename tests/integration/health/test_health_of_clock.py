"""A node whose clock is set by hours while it runs: nothing is judged by it, nothing refused for good, nothing sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from broker_troubles import alarm
from node_health import states_in_status, status, until_failing, until_ready, use_postgres
from service_world import ALERT, ROOT, eventually, until

from bridge.core import broker_names as names

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from service_world import World

    from broker import Access

NODE = Path(__file__).with_name("stepped_clock_node.py")
MONTH_SECONDS = 31 * 86_400.0  # after which every message has expired
HOURS_SECONDS = 5 * 3600.0


@asynccontextmanager
async def with_settable_clock(
    world: World, prefix: str, clock: Path, *, seconds: float = 0.0
) -> AsyncIterator[Process]:
    """The services of a country in a process whose clock is set by the seconds in a file."""
    set_clock(clock, seconds)
    config = world.configs[prefix]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(NODE), "run", "--config", str(config)),
        cwd=ROOT,
        env=os.environ | {"NCP_TEST_CLOCK": str(clock), "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        if not seconds:
            await until_ready(world, prefix)
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def set_clock(clock: Path, seconds: float) -> None:
    draft = clock.with_suffix(".draft")
    draft.write_text(str(seconds), "ascii")
    draft.rename(clock)


@pytest.mark.parametrize("seconds", [MONTH_SECONDS, -HOURS_SECONDS])
async def test_under_a_clock_that_was_set_nothing_is_judged_and_all_of_it_once_it_is_right(
    world: World, tmp_path: Path, seconds: float
) -> None:
    clock = tmp_path / "clock"
    async with world.running("rs"), with_settable_clock(world, "at", clock) as process:
        # when
        set_clock(clock, seconds)
        sent = [message.id for message in await world.submit(6)]
        check = await until_failing(world, "at", "all: clock", "clock_stepped")
        await until_failing(world, "at", "all: service subscriber at", "clock_stepped")

        # then
        assert ("set ahead by" if seconds > 0 else "set back by") in check.detail
        assert await world.inbox() == []
        assert await world.refused("at") == []
        assert await world.waiting(*names.country_queues("at"), *names.inbox_queues("at.ncp")) > 0
        assert (await states_in_status(world.configs["at"]))["all: clock"] == "clock_stepped"

        # and nobody sends by it
        code, answer = await status(world.configs["at"], "alert", "submit", str(ALERT), "--yes", "--partial")
        assert (code, answer["error"]["code"]) == (4, "E_CLOCK")

        # and when
        set_clock(clock, 0)

        # then
        for message_id in sent:
            await until(world, message_id, "delivered")
        assert sorted(await world.inbox()) == sorted(sent)
        assert await world.refused("at") == []
        await until_ready(world, "at")
        assert process.returncode is None


async def test_what_waits_in_the_outbox_is_not_given_up_by_a_clock_that_was_set(
    world: World, broker_node: Access, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    async with world.running("at"), with_settable_clock(world, "rs", clock):
        # given: rows that the broker does not take
        async with alarm(broker_node, "memory"):
            (sent,) = await world.submit()
            await until_failing(world, "rs", "all: service publisher", "broker_blocked")

            # when: all of them seem to have expired
            set_clock(clock, MONTH_SECONDS)
            await until_failing(world, "rs", "all: clock", "clock_stepped")

        # then: they are published all the same, and the receiver judges them by its own clock
        await until_published(world, sent.id)
        set_clock(clock, 0)
        await until(world, sent.id, "delivered")


async def until_published(world: World, message_id: str) -> None:
    """Whether its receipt is judged already or waits for a clock that is right."""

    async def is_published() -> bool:
        return (await world.recipient(message_id)).state in {"sent", "delivered"}

    await eventually(is_published)


@pytest.mark.parametrize(("seconds", "state"), [(HOURS_SECONDS, "clock_ahead"), (-HOURS_SECONDS, "clock_behind")])
async def test_a_clock_that_is_wrong_from_the_start_is_shown_by_the_databases_server(
    world: World, postgres_url: str, tmp_path: Path, seconds: float, state: str
) -> None:
    clock = tmp_path / "clock"
    use_postgres(world.configs["at"], postgres_url)
    async with with_settable_clock(world, "at", clock, seconds=seconds) as process:
        await until_failing(world, "at", "all: clock", state)

        # and when it is set right, it is named as set until the membership list, or ten minutes, have shown it right
        set_clock(clock, 0)
        if state == "clock_behind":
            await until_ready(world, "at")
        else:
            await until_failing(world, "at", "all: clock", "clock_stepped")
        assert process.returncode is None
