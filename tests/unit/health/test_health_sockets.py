"""Health over its sockets: who may connect, how deep a folder may be, what dead processes leave behind."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

from bridge.app.checks import node_states as states
from bridge.app.checks.check_node import Check
from bridge.app.checks.process_health import ProcessHealth
from bridge.core.errors import UnavailableError
from bridge.health.asking import CLOCK, ask_processes
from bridge.health.places import listen
from bridge.health.serving import MOST_CONNECTIONS, serving

LOOPS: list[Callable[[], asyncio.AbstractEventLoop]] = [asyncio.new_event_loop, uvloop.new_event_loop]


def health_of(role: str, *, ready: bool = True) -> ProcessHealth:
    health = ProcessHealth(role)
    if ready:
        health.begin()

    async def disk() -> Check:
        return Check("disk", ok=True, detail="much room")

    async def clock() -> Check:
        raise UnavailableError("E_CLOCK", "this clock was set ahead by 5 h")

    health.watch("disk", disk)
    health.watch("clock", clock)
    return health


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def get(url: str) -> tuple[int, dict[str, object]]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def dead_socket(folder: Path, role: str) -> None:
    listen(folder, role)[0].close()  # as after a kill: the file stays


@pytest.mark.parametrize("new_loop", LOOPS)
def test_every_check_of_every_process_is_told(
    tmp_path: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def ask() -> list[Check]:
        publisher, subscriber = health_of("publisher"), health_of("subscriber", ready=False)
        async with (
            serving(publisher, folder=tmp_path, address=None),
            serving(subscriber, folder=tmp_path, address=None),
        ):
            return list(await ask_processes(tmp_path))

    with asyncio.Runner(loop_factory=new_loop) as runner:
        checks = runner.run(ask())

    assert [(check.name, check.ok, check.state) for check in checks] == [
        ("publisher: process", True, "running"),
        ("publisher: disk", True, "ok"),
        ("publisher: clock", False, "clock_stepped"),
        ("subscriber: process", False, "starting"),
        ("subscriber: disk", True, "ok"),
        ("subscriber: clock", False, "clock_stepped"),
    ]
    assert list(tmp_path.iterdir()) == []  # a process that was stopped leaves nothing


async def test_one_check_alone_can_be_asked_for(tmp_path: Path) -> None:
    async with serving(health_of("all"), folder=tmp_path, address=None):
        (check,) = await ask_processes(tmp_path, CLOCK)

    assert (check.name, check.state) == ("all: clock", states.CLOCK_STEPPED)


async def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    mask = os.umask(0)
    try:
        async with serving(health_of("all"), folder=tmp_path, address=None):
            mode = (tmp_path / "health-all.sock").stat().st_mode
    finally:
        os.umask(mask)

    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600


async def test_a_folder_deeper_than_a_sockets_path_is_served(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 100) / ("e" * 100)
    folder.mkdir(parents=True)

    async with serving(health_of("contact-point"), folder=folder, address=None):
        checks = await ask_processes(folder)

    assert checks[0] == Check("contact-point: process", ok=True, detail="every service has begun", state=states.RUNNING)


async def test_a_process_that_died_is_not_running(tmp_path: Path) -> None:
    dead_socket(tmp_path, "subscriber")

    (check,) = await ask_processes(tmp_path)

    assert (check.name, check.ok, check.state) == ("subscriber: process", False, states.NOT_RUNNING)


async def test_a_folder_without_a_process_has_no_answer(tmp_path: Path) -> None:
    assert await ask_processes(tmp_path) == []
    assert await ask_processes(tmp_path / "missing") == []


async def test_whoever_comes_after_a_dead_process_takes_its_place(tmp_path: Path) -> None:
    # given
    for role in ("all", "publisher", "subscriber"):
        dead_socket(tmp_path, role)

    # when
    async with serving(health_of("publisher"), folder=tmp_path, address=None):
        checks = await ask_processes(tmp_path)

    # then: the subscriber is still missed
    processes = {check.name: check.state for check in checks if check.name.endswith("process")}
    assert processes == {"publisher: process": "running", "subscriber: process": "not_running"}


async def test_two_processes_of_one_role_are_both_heard(tmp_path: Path) -> None:
    async with (
        serving(health_of("publisher"), folder=tmp_path, address=None),
        serving(health_of("publisher"), folder=tmp_path, address=None),
    ):
        names = {check.name for check in await ask_processes(tmp_path) if check.name.endswith("process")}

    assert names == {"publisher: process", f"publisher-{os.getpid()}: process"}


async def test_a_process_that_does_not_answer_is_told_from_one_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.health.asking.ANSWER_SECONDS", 0.2)
    silent, _ = listen(tmp_path, "all")
    with silent:
        (check,) = await ask_processes(tmp_path)

    assert (check.ok, check.state) == (False, states.NO_ANSWER)


async def test_whoever_fills_the_port_up_keeps_the_socket_from_nobody_and_is_shown_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given: as many connections as are taken and more, none of which says anything
    monkeypatch.setattr("bridge.health.serving.CONNECTION_SECONDS", 6.0)
    port = free_port()
    async with serving(health_of("all"), folder=tmp_path, address=("127.0.0.1", port)):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_CONNECTIONS + 36)]

        # when
        checks = await ask_processes(tmp_path)

        # then
        assert [check.name for check in checks] == ["all: process", "all: disk", "all: clock"]
        closed = [asyncio.create_task(reader.read()) for reader, _ in idle]
        done, _ = await asyncio.wait(closed, timeout=1)
        assert len(done) == 36

        # and in time the port is free for others
        assert [await asyncio.wait_for(one, 20) for one in closed] == [b""] * len(idle)
        status, _ = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/livez")
        assert status == 200
        for _, writer in idle:
            writer.close()


async def test_tcp_is_served_where_it_is_wanted_with_the_status_of_readiness(tmp_path: Path) -> None:
    # given
    port, health = free_port(), ProcessHealth("all")
    async with serving(health, folder=tmp_path, address=("127.0.0.1", port)):
        # when
        starting = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/readyz")
        health.begin()
        ready = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/readyz")
        alive = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/livez")
        unknown = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/checks/nothing")

    # then
    process = {"name": "process", "ok": False, "state": "starting", "detail": "not every service has begun"}
    assert starting == (503, {"ready": False, "checks": [process]})
    assert ready[0] == 200
    assert ready[1]["ready"] is True
    assert alive == (200, {"live": True, "pid": os.getpid(), "role": "all"})
    assert unknown[0] == 404


async def test_an_address_that_is_taken_is_said_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = ("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(UnavailableError) as raised:
            async with serving(health_of("all"), folder=tmp_path, address=address):
                pytest.fail("two cannot listen there")

    assert raised.value.code == "E_HEALTH_ADDRESS"
    assert "NCP_BRIDGE_HEALTH__LISTEN" in raised.value.message


async def test_a_folder_that_takes_no_socket_stops_nobody(tmp_path: Path) -> None:
    port = free_port()
    async with serving(health_of("all"), folder=tmp_path / "missing", address=("127.0.0.1", port)):
        status, _ = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/livez")

    assert status == 200
