"""The node of whoever tries, in a process of its own, as a real one runs."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from bridge.app.integrating.tokens import Scope
from bridge.compose.api import tokens_of
from bridge.compose.console import prepare_database
from bridge.compose.node import open_node
from bridge.core.errors import UnavailableError
from bridge.settings import load_settings
from broker.keeper import PR_SET_PDEATHSIG

READY_SECONDS: Final = 120.0
DRAIN_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.05
READY: Final = "ready"
LOG: Final = "services.log"
TOKEN_NAME: Final = "sandbox"  # noqa: S105 - what it is called, not what it is


async def make_token(config: Path, contact_point: str) -> str:
    """A token for everything that a system may do in the name of the contact point."""
    settings = load_settings(config)
    await prepare_database(settings)
    async with open_node(settings) as node:
        scopes: Sequence[str] = list(Scope)
        token, _ = await tokens_of(node).add(TOKEN_NAME, contact_point=contact_point, scopes=scopes, by=TOKEN_NAME)
    return token


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[Process]:
    """The node's services: ready inside, drained and gone afterwards, also when this process is killed.

    Raises:
        UnavailableError: they did not get ready (`E_NODE_START`); their log says why.
    """
    ready, log = config.parent / READY, config.parent / LOG
    ready.unlink(missing_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", "--config", str(config), "--ready-file", str(ready)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            preexec_fn=_end_with_starter,
            start_new_session=True,  # Ctrl-C is for the starter, who then has it drain
        )
    try:
        await _until_ready(process, config.parent)
        yield process
    finally:
        await _stop(process)


async def _until_ready(process: Process, folder: Path) -> None:
    try:
        async with asyncio.timeout(READY_SECONDS):
            while not (folder / READY).exists():
                if process.returncode is not None:
                    raise ended(folder / LOG)
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        detail = f"the node is not ready after {READY_SECONDS:.0f} s: {folder / LOG}"
        raise UnavailableError("E_NODE_START", detail) from None


def ended(log: Path) -> UnavailableError:
    """A node that ended by itself, with its last line."""
    last = log.read_text("utf-8").strip().splitlines()[-1:]
    return UnavailableError("E_NODE_START", f"the node has ended by itself: {' '.join(last)}")


async def _stop(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), DRAIN_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _end_with_starter() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
