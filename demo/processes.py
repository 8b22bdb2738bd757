"""The countries' services, each country in a process of its own, as a real node runs them."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from bridge.core.errors import UnavailableError
from broker.keeper import PR_SET_PDEATHSIG

READY_SECONDS: Final = 180.0  # the first start of a fresh clone on a machine with other work took over 60 s
DRAIN_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05
READY: Final = "ready"
LOG: Final = "services.log"


@asynccontextmanager
async def running_countries(
    configs: Mapping[str, Path], environments: Mapping[str, Mapping[str, str]] = MappingProxyType({})
) -> AsyncIterator[None]:
    """Runs `ncp-bridge run` for every settings file; all are ready inside, and none is left afterwards.

    Some countries may have an environment, which stands above their settings.

    Raises:
        UnavailableError: a country's services did not get ready; its log says why.
    """
    running: list[Process] = []
    try:
        for prefix, config in configs.items():
            started = await _start(config, environments.get(prefix, {}))
            running.append(started)  # at once: whoever has started is stopped, even if the next fails
        await _until_ready(running, list(configs.values()))
        yield
    finally:
        await _stop(running)


async def _start(config: Path, environment: Mapping[str, str]) -> Process:
    with (config.parent / LOG).open("wb") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", "--config", str(config)),
            *("--ready-file", str(config.parent / READY)),
            env={**os.environ, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=_end_with_starter,
        )


async def _until_ready(running: Sequence[Process], configs: Sequence[Path]) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            for process, config in zip(running, configs, strict=True):
                while not (config.parent / READY).exists():
                    if process.returncode is not None:
                        raise _ended(config)
                    await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise UnavailableError("E_NODE_START", f"the countries are not ready after {READY_SECONDS:.0f} s") from None


def _ended(config: Path) -> UnavailableError:
    last = (config.parent / LOG).read_text("utf-8").strip().splitlines()[-1:]
    return UnavailableError("E_NODE_START", f"{config.parent.name} ended while starting: {' '.join(last)}")


async def _stop(running: Sequence[Process]) -> None:
    """All are asked at once; whoever has not drained in time, or before this is interrupted itself, is ended."""
    for process in running:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    waiting = [asyncio.ensure_future(process.wait()) for process in running]
    try:
        if waiting:
            await asyncio.wait(waiting, timeout=DRAIN_SECONDS)
    finally:
        for process in running:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*waiting)


def _end_with_starter() -> None:
    """Asks the kernel for SIGTERM when the demonstration is gone, in whatever way."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
