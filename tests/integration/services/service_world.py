"""What the tests of the services share: a small network, nodes running here or in processes, alerts and their fate."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aio_pika

from bridge.compose.node import Node, open_node
from bridge.compose.running import MESSAGE_ROLES, run_node
from bridge.core import broker_names as names
from bridge.core.messages import read_alert_file
from bridge.settings import load_settings

if TYPE_CHECKING:
    from servers.broker_fixtures import VirtualHost

    from bridge.app.sending.send import Submitted
    from bridge.ports.store.records import OutgoingRecipient
    from bridge.settings import NodeSettings

ROOT = Path(__file__).resolve().parents[3]
ALERT = ROOT / "examples" / "alerts" / "01-rs-at-construction-recruitment-agency.json"
SECONDS = 20.0

NETWORK = """
network = "test"
countries = ["RS", "AT", "HU"]

[defaults]
mode = "live"
statuses = ["actual"]
signature_policy = ["ES256"]

[[transfers]]
from = ["RS", "AT", "HU"]
to = ["RS", "AT", "HU"]
basis = "agreement"

[[contact_points]]
id = "rs.ncp"
name = "National contact point, Serbia"
national_desk = true
languages = ["sr-Latn", "en"]

[[contact_points]]
id = "at.ncp"
name = "National contact point, Austria"
national_desk = true
languages = ["de", "en"]

[[contact_points]]
id = "hu.ncp"
name = "National contact point, Hungary"
national_desk = true
languages = ["hu", "en"]
"""


@dataclass(frozen=True)
class World:
    """Two countries: `configs` are their settings files by prefix."""

    vhost: VirtualHost
    configs: Mapping[str, Path]

    def settings(self, prefix: str) -> NodeSettings:
        return load_settings(self.configs[prefix])

    def ready_file(self, prefix: str) -> Path:
        return self.configs[prefix].parent / "ready"

    @asynccontextmanager
    async def node(self, prefix: str) -> AsyncIterator[Node]:
        async with open_node(self.settings(prefix)) as node:
            yield node

    @asynccontextmanager
    async def running(self, *prefixes: str, roles: Sequence[str] = MESSAGE_ROLES) -> AsyncIterator[None]:
        """The countries' services in this process, ready; they are cut off at the end, not drained."""
        running: list[asyncio.Task[None]] = []
        try:
            for prefix in prefixes:
                ready = self.ready_file(prefix)
                ready.unlink(missing_ok=True)
                running.append(asyncio.create_task(run_node(self.settings(prefix), roles=roles, ready_file=ready)))
                await eventually(self._is_ready(prefix, running))
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    def _is_ready(self, prefix: str, running: Sequence[asyncio.Task[None]]) -> Callable[[], Awaitable[bool]]:
        async def is_ready() -> bool:
            for task in running:
                if task.done():
                    task.result()
            return self.ready_file(prefix).exists()

        return is_ready

    @asynccontextmanager
    async def process(self, prefix: str, *role: str) -> AsyncIterator[Process]:
        """`ncp-bridge run` in a process of its own, ready; killed at the end where it still runs."""
        ready = self.configs[prefix].parent / f"ready-{'-'.join(role) or 'all'}"
        ready.unlink(missing_ok=True)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge", "run", *role, "--config", str(self.configs[prefix])),
            *("--ready-file", str(ready)),
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=2**20,
        )

        async def is_ready() -> bool:
            assert process.returncode is None, (await process.communicate())[1].decode()
            return ready.exists()

        try:
            await eventually(is_ready)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.communicate()

    async def submit(self, count: int = 1) -> list[Submitted]:
        """Serbia sends an alert about a route to Austria. It leads over Hungary, which has no keys: left out."""
        alert = read_alert_file(ALERT.read_bytes())
        assert not isinstance(alert, tuple)
        async with self.node("rs") as node:
            submitting = await node.submitting()
            draft = await submitting.prepare(alert, sender="rs.ncp")
            return [await submitting.sending.send(draft, sender="rs.ncp", partial=True) for _ in range(count)]

    async def recipient(self, message_id: str) -> OutgoingRecipient:
        """Austria as a recipient, as Serbia knows it."""
        async with self.node("rs") as node, node.store.reading() as unit:
            message = await unit.ledger.get(message_id)
            assert message is not None
            (austria,) = [recipient for recipient in message.recipients if recipient.id == "at.ncp"]
            return austria

    async def states(self, message_ids: Sequence[str]) -> set[str]:
        """The states of Austria as a recipient of these messages."""
        async with self.node("rs") as node, node.store.reading() as unit:
            messages = [await unit.ledger.get(message_id) for message_id in message_ids]
        return {item.state for message in messages if message for item in message.recipients if item.id == "at.ncp"}

    async def inbox(self) -> list[str]:
        """The message ids in Austria's inbox, in the order of their arrival."""
        async with self.node("at") as node, node.store.reading() as unit:
            return [item.id for item in await unit.inbox.list(limit=1000)]

    async def waiting(self, *queues: str) -> int:
        """How many messages are ready in these queues together."""
        async with await aio_pika.connect(self.vhost.admin_url, timeout=SECONDS) as connection:
            channel = await connection.channel()
            declared = [await channel.declare_queue(queue, passive=True) for queue in queues]
        return sum(queue.declaration_result.message_count or 0 for queue in declared)

    async def release_leases(self) -> None:
        """As if the seconds had passed that a killed relay's rows stay leased."""
        for config in self.configs.values():
            with contextlib.closing(sqlite3.connect(config.parent / "node.db", timeout=SECONDS)) as database, database:
                due = "lease_token = NULL, lease_until = NULL, next_attempt_at = NULL"
                database.execute(f"UPDATE outbox SET {due} WHERE sent_at IS NULL")  # noqa: S608 -- the text above

    async def refused(self, prefix: str) -> list[str]:
        """The codes of what is in quarantine."""
        async with self.node(prefix) as node, node.store.reading() as unit:
            return [refusal.code for refusal in await unit.refusals.list()]

    async def inject(self, wire_bytes: bytes, queue_key: str = "rs.at.urgent.route_alert") -> None:
        """Publishes with Serbia's own relay account, past the bridge."""
        settings = self.settings("rs")
        url = settings.amqp_urls(settings.broker.relay)[0]
        async with await aio_pika.connect(url, timeout=SECONDS) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(names.ingress_exchange("rs"), ensure=False)
            await exchange.publish(aio_pika.Message(wire_bytes), queue_key, timeout=SECONDS)


async def eventually(condition: Callable[[], Awaitable[bool]], *, seconds: float = SECONDS) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 -- what is waited for happens in other processes
            await asyncio.sleep(0.05)


async def until(world: World, message_id: str, state: str) -> None:
    """Waits until Serbia knows Austria to be in this state."""
    found = ""
    try:
        async with asyncio.timeout(SECONDS):
            while found != state:
                found = (await world.recipient(message_id)).state
                await asyncio.sleep(0.05)
    except TimeoutError:
        assert found == state


async def end(process: Process, *, seconds: float = SECONDS) -> tuple[int | None, list[dict[str, object]]]:
    """SIGTERM, and how it ended: the exit status and the lines of its log."""
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(seconds):
        _, log = await process.communicate()
    return process.returncode, [json.loads(line) for line in log.decode().splitlines() if line.startswith("{")]
