"""What webhooks take: `python -m benchmarks.webhooks`. From a commit to the POST, and deliveries a second, on loopback.

The receiver answers 204 at once, in this process beside the service that posts; the database is SQLite on disk.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Final

from bridge.adapters.store.schema import migrate
from bridge.app.integrating.webhook_events import CHOSEN
from bridge.compose.node import Node, open_node
from bridge.compose.webhooks import webhook_service, webhooks_of
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.settings import load_settings
from demo.network import NETWORK_FILE

SINGLE: Final = 50
TOGETHER: Final = 50  # to each webhook
WEBHOOKS: Final = (1, 4)
PATIENCE_SECONDS: Final = 120.0


@dataclass
class Receiver:
    """Takes whatever is posted, and notes when."""

    times: list[float] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        self.times.append(time.perf_counter())
        self.came.set()
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async def until(self, count: int) -> None:
        """Waits for so many."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(self.times) < count:
                self.came.clear()
                await self.came.wait()


async def measure(folder: Path) -> list[str]:
    """The figures, a line each."""
    found_network(folder / "network", NETWORK_FILE)
    found_nodes([NodeOrder(folder / "rs", "RS", BrokerPlace(port=1))], network=folder / "network")
    config = folder / "rs" / "node.toml"
    config.write_text(config.read_text("utf-8") + '\n[api]\nwebhook_hosts = ["127.0.0.1"]\n', "utf-8")
    settings, receiver, stop = load_settings(config), Receiver(), asyncio.Event()
    await migrate(settings.database_url)
    server = await asyncio.start_server(receiver.talk, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with open_node(settings) as node:
        managing, lines = webhooks_of(node), []
        hooks: list[str] = []
        own = node.hosted[0]
        service, _ = webhook_service(
            settings, contact_points=node.hosted, store=node.store, vault=node.vault, clock=node.clock
        )
        running = asyncio.create_task(service.run(stop))
        for count in WEBHOOKS:
            while len(hooks) < count:
                hooks.append((await managing.add(url, contact_point=own, events=CHOSEN, by="benchmark"))[1].id)
            if count == 1:
                lines.append(await _single(node, hooks[0], receiver))
            lines.append(await _together(node, hooks, receiver))
        stop.set()
        await running
        server.close()
    return lines


async def _single(node: Node, webhook_id: str, receiver: Receiver) -> str:
    seconds, managing = [], webhooks_of(node)
    for _ in range(SINGLE):
        before = len(receiver.times)
        await managing.test(webhook_id, contact_point=None, by="benchmark")
        committed = time.perf_counter()
        await receiver.until(before + 1)
        seconds.append(receiver.times[-1] - committed)
        await asyncio.sleep(0.05 + len(seconds) % 7 * 0.03)  # not in step with the service
    worst = sorted(seconds)[len(seconds) * 95 // 100]
    return f"from commit to POST: median of {SINGLE} {median(seconds) * 1e3:.0f} ms, p95 {worst * 1e3:.0f} ms"


async def _together(node: Node, hooks: list[str], receiver: Receiver) -> str:
    managing, before = webhooks_of(node), len(receiver.times)
    for webhook_id in hooks:
        for _ in range(TOGETHER):
            await managing.test(webhook_id, contact_point=None, by="benchmark")
    await receiver.until(before + len(hooks) * TOGETHER)
    while any(waiting for _, waiting in await managing.list(node.hosted)):  # noqa: ASYNC110 - rows, not an event
        await asyncio.sleep(0.05)
    before, since, expected = len(receiver.times), node.clock.now() - timedelta(days=1), 0
    begun = time.perf_counter()
    for webhook_id in hooks:
        expected += await managing.replay(webhook_id, contact_point=None, by="benchmark", since=since)
    await receiver.until(before + expected)
    rate = expected / (receiver.times[-1] - begun)
    return f"{len(hooks)} webhooks, {expected} deliveries that wait: {rate:.0f} a second"


def main() -> int:
    """Measures and prints."""
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-bench-") as folder:
        for line in asyncio.run(measure(Path(folder))):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
