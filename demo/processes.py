"""The countries' services, each country in a process of its own, as a real node runs them."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from bridge.core.errors import UnavailableError

READY_SECONDS: Final = 60.0
DRAIN_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05


@asynccontextmanager
async def running_countries(configs: Mapping[str, Path]) -> AsyncIterator[None]:
    """Runs `ncp-bridge run` for every settings file; all are ready inside, and none is left afterwards.

    Raises:
        UnavailableError: a country's services did not get ready; its log says why.
    """
    async with AsyncExitStack() as stack:
        running = [await stack.enter_async_context(_country(config)) for config in configs.values()]
        async with asyncio.timeout(READY_SECONDS):
            for process, config in zip(running, configs.values(), strict=True):
                await _until_ready(process, config)
        yield


@asynccontextmanager
async def _country(config: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with (config.parent / "services.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", "--config", str(config), "--ready-file", str(_ready_file(config))),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, config: Path) -> None:
    while not _ready_file(config).exists():
        if process.returncode is not None:
            log = (config.parent / "services.log").read_text("utf-8").strip().splitlines()
            raise UnavailableError("E_NODE_START", f"{config.parent.name} ended while starting: {' '.join(log[-1:])}")
        await asyncio.sleep(POLL_SECONDS)


def _ready_file(config: Path) -> Path:
    return config.parent / "ready"
