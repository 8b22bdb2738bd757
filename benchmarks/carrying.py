"""Carrying a burst of finished alerts from one country's outbox to another's inbox, beside bare aio-pika.

The bridge's side does everything that it always does: every transaction synchronised to the disk (SQLite, WAL, FULL),
both verifications, the body opened and sealed again at rest, a signed receipt in the outbox for each alert. Both sides
have the same placement in processes, the same bytes, the same queues and accounts, and take turns.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.bare import Plan, Times
from benchmarks.countries import (
    RECIPIENT,
    Countries,
    PremadeAlert,
    begin_anew,
    count_arrived,
    count_stored,
    reading_arrivals,
    release,
    where_alerts_are,
)
from benchmarks.processes import cpu_seconds, read_line, running, until_exist
from bridge.adapters.amqp import names
from bridge.compose.running import CONTACT_POINT, PUBLISHER, SUBSCRIBER
from bridge.core.errors import UnavailableError

ONE_PROCESS: Final = "one process"
THREE_PROCESSES: Final = "three processes"
PLACEMENTS: Final = (ONE_PROCESS, THREE_PROCESSES)
LANE: Final = "normal"
BURST_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Burst:
    """One run of one side: alerts per second, CPU microseconds per alert in our processes and in the broker."""

    alerts: int
    seconds: float
    client_cpu_us: float
    broker_cpu_us: float | None

    @property
    def rate(self) -> float:
        """Alerts per second."""
        return self.alerts / self.seconds


@dataclass(frozen=True, slots=True)
class CarryingFigure:
    """All runs of both sides in one placement."""

    placement: str
    bridge: tuple[Burst, ...]
    bare: tuple[Burst, ...]

    @property
    def ratio(self) -> float:
        """The bridge's rate as a part of the bare one's, of the medians."""
        return median(run.rate for run in self.bridge) / median(run.rate for run in self.bare)


@dataclass(frozen=True, slots=True)
class Carrying:
    """Runs bursts over two countries on one broker; `broker_pid` is `None` where the broker is somebody else's."""

    countries: Countries
    alerts: Sequence[PremadeAlert]
    log: Path
    broker_pid: int | None

    async def measure(self, placement: str, *, runs: int) -> CarryingFigure:
        """Both sides in turns; which of them begins changes with every run."""
        bridge, bare = [], []
        for run in range(runs):
            for is_bridge in (run % 2 == 1, run % 2 == 0):
                if is_bridge:
                    bridge.append(await self.run_bridge(placement))
                else:
                    bare.append(await self.run_bare(placement))
        return CarryingFigure(placement, tuple(bridge), tuple(bare))

    async def run_bridge(self, placement: str, *, profile: Path | None = None) -> Burst:
        """One burst through the three services; with `profile` (one process only) what the profiler saw lands there.

        Raises:
            UnavailableError: the services do not start, or not every alert was received, confirmed and let in.
        """
        begin_anew(self.countries, with_alerts=True)
        commands, ready_files = service_commands(self.countries, placement)
        if profile is not None:
            commands = [["-m", "cProfile", "-o", str(profile), *command] for command in commands]
        async with running(commands, log=self.log) as processes:
            await until_exist(ready_files, processes, log=self.log)
            pids = [process.pid for process in processes]
            with reading_arrivals(self.countries) as destination:
                before = self._cpu(pids)
                release(self.countries)
                begun = time.monotonic()
                while count_arrived(destination) < len(self.alerts):
                    await asyncio.sleep(LOOK_SECONDS)
                    if time.monotonic() - begun > BURST_SECONDS:
                        raise UnavailableError("E_BENCHMARK", f"not arrived: {where_alerts_are(self.countries)}")
                seconds = time.monotonic() - begun
                after = self._cpu(pids)
                self._check(count_stored(destination))
        return self._burst(seconds, before, after)

    async def run_bare(self, placement: str) -> Burst:
        """One burst through bare aio-pika."""
        began, ended, before, after = await self._bare(placement, pause=0)
        return self._burst(max(ended.values()) - min(began.values()), before, after)

    async def bare_latencies(self, *, pause: float, count: int) -> list[float]:
        """Seconds from publish to consumer of the first alerts, one every `pause` seconds, in three processes."""
        few = Carrying(self.countries, self.alerts[:count], self.log, None)
        began, ended, _, _ = await few._bare(THREE_PROCESSES, pause=pause)
        return [ended[message_id] - at for message_id, at in began.items()]

    async def _bare(self, placement: str, *, pause: float) -> tuple[Times, Times, _Cpu, _Cpu]:
        plan_file = self._write_plan(pause)
        module = ["-m", "benchmarks.bare", str(plan_file)]
        roles = [["consume"], ["move"], ["publish"]]
        commands = (
            [[*module, "publish", "move", "consume"]] if placement == ONE_PROCESS else [module + r for r in roles]
        )
        results: dict[str, Times] = {}
        async with running(commands, log=self.log) as processes:
            for process in processes:
                await read_line(process, seconds=BURST_SECONDS, log=self.log)
            pids = [process.pid for process in processes]
            before = self._cpu(pids)
            for process in processes:
                if process.stdin is not None:
                    process.stdin.write(b"go\n")
                    await process.stdin.drain()
            for process in processes:
                results |= json.loads(await read_line(process, seconds=BURST_SECONDS, log=self.log))
            after = self._cpu(pids)
        plan_file.unlink()
        return results["publish"], results["consume"], before, after

    def _write_plan(self, pause: float) -> Path:
        origin, destination = self.countries.settings()
        point = next(point for point in destination.contact_points if point.id == RECIPIENT)
        here, there = origin.prefix, destination.prefix
        plan = Plan(
            urls={
                "publish": origin.amqp_url(origin.broker.relay),
                "move": destination.amqp_url(destination.broker.router),
                "consume": destination.amqp_url(point.account),
            },
            exchanges={"publish": names.ingress_exchange(here), "move": names.contact_points_exchange(there)},
            keys={
                "publish": names.alert_key(here, there, lane=LANE, kind="route_alert"),
                "move": names.contact_point_key(RECIPIENT, LANE),
            },
            queues={"move": names.country_queue(there, LANE), "consume": names.inbox_queue(RECIPIENT, LANE)},
            messages=[(a.row_id, a.message_id, base64.b64encode(a.wire_bytes).decode()) for a in self.alerts],
            pause=pause,
        )
        file = self.log.with_name("bare-plan.json")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(plan, out)
        return file

    def _cpu(self, pids: Sequence[int]) -> _Cpu:
        return _Cpu(cpu_seconds(pids), None if self.broker_pid is None else cpu_seconds([self.broker_pid]))

    def _burst(self, seconds: float, before: _Cpu, after: _Cpu) -> Burst:
        count = len(self.alerts)
        broker = None
        if before.broker is not None and after.broker is not None:
            broker = (after.broker - before.broker) / count * 1e6
        return Burst(count, seconds, (after.clients - before.clients) / count * 1e6, broker)

    def _check(self, stored: dict[str, int]) -> None:
        expected = {"received": len(self.alerts), "receipts": len(self.alerts), "refused": 0, "held": 0}
        if stored != expected:
            raise UnavailableError("E_BENCHMARK", f"the run left {stored} behind; expected {expected}")


@dataclass(frozen=True, slots=True)
class _Cpu:
    clients: float
    broker: float | None


def service_commands(countries: Countries, placement: str) -> tuple[list[list[str]], list[Path]]:
    """The arguments of the processes that run the three services, and the files that tell that they are ready."""
    folder = countries.premade.parent
    files = [folder / f"{role}.ready" for role in (PUBLISHER, SUBSCRIBER, CONTACT_POINT)]
    for file in folder.glob("*.ready"):
        file.unlink()
    if placement == ONE_PROCESS:
        arguments = [str(path) for path in (countries.origin, countries.destination, *files[:2])]
        return [["-m", "benchmarks.services", *arguments]], files[:2]
    configs = (countries.origin, countries.destination, countries.destination)
    roles = (PUBLISHER, SUBSCRIBER, CONTACT_POINT)
    return [
        ["-m", "bridge", "run", role, "--config", str(config), "--ready-file", str(file)]
        for role, config, file in zip(roles, configs, files, strict=True)
    ], files
