"""A private node starts, answers, and leaves no process and no folder, however its starter ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aio_pika
import pytest

from broker import PrivateNode

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.broker, pytest.mark.usefixtures("broker_node")]  # skips where there is no RabbitMQ

ROOT = Path(__file__).resolve().parents[3]
STARTER = "import time; from broker import PrivateNode; node = PrivateNode().start(); print('ready'); time.sleep(60)"
CLUSTER_STARTER = "from broker import PrivateCluster; PrivateCluster().start()"
GONE_SECONDS = 10.0


async def test_a_node_answers_starts_again_with_its_data_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with PrivateNode() as node:
        node.create_vhost("kept")
        async with await aio_pika.connect(node.amqp_url("kept")) as connection:
            channel = await connection.channel()
            await channel.declare_queue("durable", durable=True, arguments={"x-queue-type": "quorum"})
        assert processes_of(tmp_path)

        # when
        node.restart()

        # then
        async with await aio_pika.connect(node.amqp_url("kept")) as connection:
            channel = await connection.channel()
            assert (await channel.declare_queue("durable", passive=True)).name == "durable"
        assert node.alive
    assert processes_of(tmp_path) == []
    assert not node.folder.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("seconds", [0.3, 1.0, 2.5])
def test_a_start_interrupted_at_any_moment_leaves_nothing(tmp_path: Path, number: int, seconds: float) -> None:
    # given
    starter = start_elsewhere(tmp_path)

    # when
    time.sleep(seconds)
    starter.send_signal(number)
    starter.communicate(timeout=GONE_SECONDS)

    # then
    assert starter.returncode != 0
    wait_until(lambda: not processes_of(tmp_path) and not list(tmp_path.iterdir()))


def test_a_cluster_whose_starter_is_killed_while_it_starts_leaves_nothing(tmp_path: Path) -> None:
    # given
    starter = start_elsewhere(tmp_path, CLUSTER_STARTER)
    wait_until(lambda: len([pid for pid, command in processes_of(tmp_path) if "beam.smp" in command]) == 3)

    # when
    starter.kill()
    starter.communicate(timeout=GONE_SECONDS)

    # then
    wait_until(lambda: not processes_of(tmp_path) and not list(tmp_path.iterdir()))


def test_a_running_node_ends_with_its_starter_even_when_that_is_killed(tmp_path: Path) -> None:
    # given
    starter = start_elsewhere(tmp_path)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "ready\n"
    assert len(processes_of(tmp_path)) >= 4  # keeper, epmd, broker, and what the broker starts

    # when
    starter.kill()
    starter.communicate(timeout=GONE_SECONDS)

    # then
    wait_until(lambda: not processes_of(tmp_path) and not list(tmp_path.iterdir()))


def test_a_node_whose_keeper_is_killed_takes_its_broker_along(tmp_path: Path) -> None:
    # given
    starter = start_elsewhere(tmp_path)
    assert starter.stdout is not None
    assert starter.stdout.readline() == "ready\n"
    (keeper,) = [pid for pid, command in processes_of(tmp_path) if "broker.node_keeper" in command]

    # when
    os.kill(keeper, signal.SIGKILL)

    # then
    wait_until(lambda: [pid for pid, _ in processes_of(tmp_path) if pid != starter.pid] == [])
    starter.kill()
    starter.communicate(timeout=GONE_SECONDS)


def start_elsewhere(folder: Path, program: str = STARTER) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 -- our own code in another process
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_of(folder: Path) -> list[tuple[int, str]]:
    """The processes that name the folder in their command line or environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command_bytes, environment_bytes = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
        except OSError:
            continue
        if bytes(folder) in command_bytes + environment_bytes:
            found.append((int(entry.name), command_bytes.replace(b"\0", b" ").decode("utf-8", errors="replace")))
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + GONE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "still not so"
        time.sleep(0.05)
