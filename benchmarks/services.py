"""The three services in one process: `python -m benchmarks.services ORIGIN DESTINATION READY-FILE`.

The origin's publisher and the destination's subscriber and contact point, which are two nodes, share one event loop.
Ended by SIGTERM.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bridge.compose.running import CONTACT_POINT, PUBLISHER, SUBSCRIBER, run_node
from bridge.settings import load_settings
from bridge.telemetry.logs import configure_logs


async def run_all(origin: Path, destination: Path, ready_file: Path) -> None:
    """Runs all until the first node has ended, and tells that everything is ready in the file."""
    parts = [ready_file.with_suffix(".origin"), ready_file.with_suffix(".destination")]
    running = [
        asyncio.create_task(run_node(load_settings(origin), roles=(PUBLISHER,), ready_file=parts[0])),
        asyncio.create_task(
            run_node(load_settings(destination), roles=(SUBSCRIBER, CONTACT_POINT), ready_file=parts[1])
        ),
    ]
    while not all(part.exists() for part in parts) and not any(task.done() for task in running):
        await asyncio.sleep(0.02)
    ready_file.touch()
    # The signal handler of the node that was started last is the one in force: it drains that node, we end the other.
    done, pending = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()


if __name__ == "__main__":
    configure_logs()
    asyncio.run(run_all(*(Path(argument) for argument in sys.argv[1:])))
