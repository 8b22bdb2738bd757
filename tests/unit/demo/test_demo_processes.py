"""The countries' processes end with the demonstration, whatever they do and whatever happens to it."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.core.errors import UnavailableError
from demo import processes
from demo.interruption import Interruption

# Stands in for the interpreter: gets `-m bridge run --config F --ready-file R`.
STUBBORN = '#!/bin/sh\ntrap \'\' TERM INT\necho $$ > "$7.pid"\necho ready > "$7"\nwhile :; do sleep 0.05; done\n'
FAILING = "#!/bin/sh\necho no such database >&2\nexit 4\n"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "rs").mkdir()
    return tmp_path / "rs" / "node.toml"


@pytest.fixture
def country_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def be(script: str) -> None:
        (tmp_path / "country").write_text(script)
        (tmp_path / "country").chmod(0o700)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "country"))

    return be


def runs(config: Path) -> bool:
    try:
        pid = int((config.parent / "ready.pid").read_text())
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_a_country_that_does_not_listen_is_ended(
    config: Path, country_is: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    country_is(STUBBORN)
    monkeypatch.setattr(processes, "DRAIN_SECONDS", 0.2)

    async with processes.running_countries({"rs": config}):
        assert runs(config)

    assert not runs(config)


async def test_an_interruption_of_the_stopping_ends_it_too(config: Path, country_is: Callable[[str], None]) -> None:
    country_is(STUBBORN)
    inside = asyncio.Event()

    async def demonstrate() -> None:
        async with processes.running_countries({"rs": config}):
            inside.set()

    demonstration = asyncio.create_task(demonstrate())
    await inside.wait()
    await asyncio.sleep(0.2)  # it now waits for the country to drain
    demonstration.cancel()
    with pytest.raises(asyncio.CancelledError):
        await demonstration

    for _ in range(100):
        if not runs(config):
            break
        await asyncio.sleep(0.02)
    assert not runs(config)


async def test_a_country_that_does_not_start_says_why(config: Path, country_is: Callable[[str], None]) -> None:
    country_is(FAILING)

    with pytest.raises(UnavailableError, match="rs ended while starting: no such database"):
        async with processes.running_countries({"rs": config}):
            pass


def test_countries_end_when_the_demonstration_is_killed(config: Path, tmp_path: Path) -> None:
    # given a demonstration with one country, which does nothing but wait
    waiting = tmp_path / "waiting"
    waiting.write_text('#!/bin/sh\necho $$ > "$7.pid"\necho ready > "$7"\nwhile :; do sleep 0.05; done\n')
    waiting.chmod(0o700)
    program = (
        "import asyncio, sys\nfrom pathlib import Path\nfrom demo.processes import running_countries\n"
        "async def main():\n"
        f"    sys.executable = {str(waiting)!r}\n"
        f"    async with running_countries({{'rs': Path({str(config)!r})}}):\n"
        "        print('up', flush=True)\n        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:  # noqa: S603 - ours
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"

        # when
        process.kill()

    # then
    deadline = time.monotonic() + 5
    while runs(config) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not runs(config)


def test_a_signal_cancels_the_work_lets_it_clean_up_and_comes_out_as_an_interrupt() -> None:
    # given
    steps: list[str] = []
    interruption = Interruption()

    async def work() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.sleep(30)
        finally:
            signal.raise_signal(signal.SIGINT)  # what comes now changes nothing
            await asyncio.sleep(0)
            steps.append("cleaned up")

    # when
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with interruption.listening(), asyncio.Runner() as runner, pytest.raises(KeyboardInterrupt):
        interruption.run(runner, work())

    # then
    assert steps == ["cleaned up"]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    with pytest.raises(KeyboardInterrupt):
        interruption.check()


def test_a_signal_between_two_pieces_of_work_stops_the_next_before_it_begins() -> None:
    interruption = Interruption()
    begun = False

    async def work() -> None:
        nonlocal begun
        begun = True
        await asyncio.sleep(0)

    with interruption.listening():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        with asyncio.Runner() as runner, pytest.raises(KeyboardInterrupt):
            interruption.run(runner, work())

    assert not begun
