"""The checks of a process: none holds up the answer, none says more than it should."""

from __future__ import annotations

import asyncio

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.app.checks.process_health import ProcessHealth
from bridge.core.errors import UnavailableError


async def healthy() -> Check:
    return Check("disk", ok=True, detail="much room")


async def test_a_process_is_starting_then_running_then_draining() -> None:
    health, stop = ProcessHealth("all"), asyncio.Event()
    running = asyncio.create_task(health.run(stop))
    found = []

    for step in (lambda: None, health.begin, stop.set):
        step()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        (process,) = await health.checks()
        found.append((process.ok, process.state))
    health.begin()  # a service that comes late changes nothing

    assert found == [(False, "starting"), (True, "running"), (False, "draining")]
    assert health.phase == "draining"
    await running


async def test_a_check_that_hangs_is_named_and_the_others_are_answered() -> None:
    # given
    begun = 0

    async def hang() -> Check:
        nonlocal begun
        begun += 1
        await asyncio.Event().wait()
        raise AssertionError

    health = ProcessHealth("all", deadline_seconds=0.1)
    health.watch("database", hang, late=states.DATABASE_LOCKED)
    health.watch("disk", healthy)

    # when
    async with asyncio.timeout(1):
        first, second = await health.checks(), await health.checks()

    # then: and whoever asks again begins no second look
    assert {check.name: check.state for check in first} == {
        "process": "starting",
        "database": "database_locked",
        "disk": "ok",
    }
    assert first == second
    assert begun == 1
    await health.close()


async def test_what_a_late_look_finds_is_told_to_whoever_asks_next() -> None:
    found = asyncio.Event()

    async def late() -> Check:
        await found.wait()
        raise UnavailableError("E_DATABASE_FULL", "the database's disk is full")

    health = ProcessHealth("all", deadline_seconds=0.05)
    health.watch("database", late)
    assert (await health.checks())[1].state == states.NO_ANSWER

    found.set()

    assert (await health.checks())[1].state == states.DISK_FULL


async def test_many_who_ask_cost_one_look() -> None:
    looks = 0

    async def count() -> Check:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return Check("database", ok=True, detail="")

    health = ProcessHealth("all")
    health.watch("database", count)

    for _ in range(3):
        await asyncio.gather(*(health.checks() for _ in range(20)))

    assert looks == 1


async def test_a_fault_that_nobody_foresaw_is_named_without_its_words() -> None:
    async def faulty() -> Check:
        raise ZeroDivisionError("the password is swordfish")

    health = ProcessHealth("all")
    health.watch("keys", faulty)

    check = await health.check("keys")

    assert check == Check("keys", ok=False, detail="a fault: ZeroDivisionError", state=states.SERVICE_FAULTY)
    assert await health.check("nothing") is None
