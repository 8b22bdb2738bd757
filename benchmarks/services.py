"""The three services in one process: `python -m benchmarks.services ORIGIN DESTINATION READY-FILE READY-FILE`.

The origin's publisher and the destination's subscriber and contact point, which are two nodes, share one event loop.
Ended by SIGTERM.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bridge.compose.running import CONTACT_POINT, PUBLISHER, SUBSCRIBER, run_node
from bridge.settings import load_settings
from bridge.telemetry.logs import configure_logs

LOOK_SECONDS: Final = 0.02


async def run_all(origin: Path, destination: Path, ready_files: Sequence[Path]) -> None:
    """Runs all until the first node has ended; each node tells that it is ready in a file of its own."""
    running: list[asyncio.Task[None]] = []
    nodes = zip((origin, destination), ((PUBLISHER,), (SUBSCRIBER, CONTACT_POINT)), ready_files, strict=True)
    for config, roles, file in nodes:
        running.append(asyncio.create_task(run_node(load_settings(config), roles=roles, ready_file=file)))
        await _until_ready(file, running[-1])  # two migrations at once in one process are not possible
    # The signal handler of the node that was started last is the one in force: it drains that node, we end the other.
    done, pending = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


async def _until_ready(file: Path, node: asyncio.Task[None]) -> None:
    # Other code writes the file and tells nobody.
    while not file.exists() and not node.done():  # noqa: ASYNC110, ASYNC240 - see above; looking takes microseconds
        await asyncio.sleep(LOOK_SECONDS)


if __name__ == "__main__":
    configure_logs()
    _origin, _destination, *_ready_files = (Path(argument) for argument in sys.argv[1:])
    asyncio.run(run_all(_origin, _destination, _ready_files))
