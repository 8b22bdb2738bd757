"""What the HTTP interface costs: `python -m benchmarks.http_interface [REQUESTS]`, 10,000 unless told otherwise.

Submissions to a process that serves it, and beside them the same by the use case in this process, in turns, into one
database; then a mixture of requests, while the serving process's memory is looked at. No broker: nothing is delivered.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, Final

import httpx

from benchmarks.cases import SAMPLE, SENDER, sample_alert
from benchmarks.processes import cpu_seconds, running, until_exist
from bridge.adapters.store.schema import migrate
from bridge.app.integrating.tokens import Scope
from bridge.app.sending.submit import SubmitAlerts
from bridge.compose.api import tokens_of
from bridge.compose.node import open_node
from bridge.core.errors import UnavailableError
from bridge.founding.network import found_network
from bridge.founding.nodes import BrokerPlace, NodeOrder, found_nodes
from bridge.settings import load_settings
from demo.network import NETWORK_FILE

ROUNDS: Final = 200  # submissions each way
AT_ONCE: Final = 8
LOOKS: Final = 20  # at the memory
_PAGE_KIB: Final = os.sysconf("SC_PAGE_SIZE") / 1024


@dataclass(frozen=True, slots=True)
class Served:
    """The interface of a node in a process of its own."""

    system: httpx.AsyncClient
    pid: int
    alert: dict[str, Any]

    async def submit(self) -> None:
        """One alert under a new key."""
        body = {"officer": "Benchmark", "alert": self.alert}
        _check(await self.system.post("/messages", json=body, headers={"idempotency-key": str(uuid.uuid4())}), 201)

    async def validate(self) -> None:
        """One alert file, checked only."""
        _check(await self.system.post("/validate", json=self.alert), 200)

    async def look(self) -> None:
        """The first page of the inbox, which is empty."""
        _check(await self.system.get("/inbox"), 200)

    async def be_refused(self) -> None:
        """A million brackets and numbers that are too many."""
        refused = await self.system.post("/validate", content=_TOO_LARGE, headers={"content-type": "application/json"})
        _check(refused, 413)

    @property
    def memory_mib(self) -> float:
        """Resident memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text("utf-8").split()[1]) * _PAGE_KIB / 1024


_TOO_LARGE: Final = b"[" + b"1," * 1_000_000 + b"1]"


async def measure(folder: Path, requests: int) -> list[str]:
    """The figures, a line each."""
    found_network(folder / "network", NETWORK_FILE)
    orders = [NodeOrder(folder / country.lower(), country, BrokerPlace(port=1)) for country in ("RS", "HU", "AT")]
    found_nodes(orders, network=folder / "network")
    config, ready, log = folder / "rs" / "node.toml", folder / "ready", folder / "api.log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    table = f'\n[api]\nlisten = "{port}"\nrequests_per_minute = 1000000\n'
    config.write_text(config.read_text("utf-8") + table, "utf-8")
    settings = load_settings(config)
    await migrate(settings.database_url)
    command = ("-m", "bridge", "run", "api", "--config", str(config), "--ready-file", str(ready))
    async with open_node(settings) as node, running([command], log=log) as processes:
        await until_exist([ready], processes, log=log)
        token, _ = await tokens_of(node).add("bench", contact_point=SENDER, scopes=list(Scope), by="benchmark")
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}/api/v1", headers={"authorization": f"Bearer {token}"}
        ) as system:
            served = Served(system, processes[0].pid, json.loads(SAMPLE.read_bytes()))
            await served.submit()  # keys, list and code are loaded
            return [*await _submissions(served, await node.submitting()), *await _memory(served, requests)]


async def _submissions(served: Served, submitting: SubmitAlerts) -> list[str]:
    over_http, here = [], []
    worked, own = cpu_seconds(served.pid), 0.0
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        await served.submit()
        over_http.append(time.perf_counter() - begun)
        begun, cpu = time.perf_counter(), time.process_time()
        draft = await submitting.prepare(sample_alert(), sender=SENDER)
        await submitting.sending.send(draft, sender=SENDER)
        here.append(time.perf_counter() - begun)
        own += time.process_time() - cpu
    worked = cpu_seconds(served.pid) - worked
    together = time.perf_counter()
    await asyncio.gather(*(_several(served, ROUNDS // AT_ONCE) for _ in range(AT_ONCE)))
    together = (ROUNDS // AT_ONCE * AT_ONCE) / (time.perf_counter() - together)
    begun = cpu_seconds(served.pid)
    for _ in range(ROUNDS):
        await served.be_refused()
    refused = (cpu_seconds(served.pid) - begun) / ROUNDS
    return [
        f"submitted over HTTP, one after the other: {_way(over_http)}, CPU {worked / ROUNDS * 1e3:.1f} ms there",
        f"the same by the use case in process:      {_way(here)}, CPU {own / ROUNDS * 1e3:.1f} ms",
        f"ratio of medians: {median(over_http) / median(here):.2f}",
        f"over HTTP, {AT_ONCE} at once: {together:.0f} a second",
        f"a body of {len(_TOO_LARGE) / 1e6:.0f} MB with a million numbers is refused for {refused * 1e3:.1f} ms of CPU",
    ]


async def _several(served: Served, count: int) -> None:
    for _ in range(count):
        await served.submit()


async def _memory(served: Served, requests: int) -> list[str]:
    before, looks = served.memory_mib, []
    each = requests // LOOKS
    for _ in range(LOOKS):
        for number in range(each):
            await (served.submit() if number % 10 == 0 else served.validate() if number % 2 else served.look())
        looks.append(served.memory_mib)
    half = looks[LOOKS // 2 :]
    slope = linear_regression(range(len(half)), half).slope * 1000 / each
    return [
        f"memory: {before:.1f} MiB before, {looks[-1]:.1f} MiB after {each * LOOKS} requests, a tenth submissions",
        f"in the second half of them it grew by {slope:.3f} MiB per 1,000",
    ]


def _way(seconds: list[float]) -> str:
    worst = sorted(seconds)[len(seconds) * 95 // 100]
    return (
        f"{len(seconds) / sum(seconds):.0f} a second, median {median(seconds) * 1e3:.1f} ms, p95 {worst * 1e3:.1f} ms"
    )


def _check(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise UnavailableError("E_BENCHMARK", f"answered {answer.status_code}: {answer.text[:200]}")


def main() -> int:
    """Measures and prints."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory(prefix="ncp-bridge-bench-") as folder:
        for line in asyncio.run(measure(Path(folder), requests)):
            print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
