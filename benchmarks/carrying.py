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
    empty_queues,
    reading_arrivals,
    release,
    where_alerts_are,
)
from benchmarks.processes import cpu_seconds, read_line, running, until_exist
from bridge.compose.running import CONTACT_POINT, PUBLISHER, SUBSCRIBER
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from broker.access import Access
from broker.node import PrivateNode

ONE_PROCESS: Final = "one process"
THREE_PROCESSES: Final = "three processes"
PLACEMENTS: Final = (ONE_PROCESS, THREE_PROCESSES)
LANE: Final = "normal"
BURST_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.01


@dataclass(frozen=True, slots=True)
class Burst:
    """One run of one side.

    Attributes:
        alerts: how many were carried.
        seconds: from the first until the last was there.
        process_cpu_us: CPU microseconds per alert of each process: publisher, subscriber, contact point or their like.
        broker_cpu_us: the same of the broker, where it is ours.
    """

    alerts: int
    seconds: float
    process_cpu_us: tuple[float, ...]
    broker_cpu_us: float | None

    @property
    def rate(self) -> float:
        """Alerts per second."""
        return self.alerts / self.seconds

    @property
    def client_cpu_us(self) -> float:
        """CPU microseconds per alert of all processes but the broker."""
        return sum(self.process_cpu_us)

    @property
    def cpu_us(self) -> float:
        """CPU microseconds per alert in all."""
        return self.client_cpu_us + (self.broker_cpu_us or 0.0)


@dataclass(frozen=True, slots=True)
class CarryingFigure:
    """All runs of both sides in one placement."""

    placement: str
    bridge: tuple[Burst, ...]
    bare: tuple[Burst, ...]

    @property
    def ratio(self) -> float:
        """The bridge's rate as a part of the bare one's: the median over the pairs of runs, which ran side by side."""
        return median(ours.rate / bare.rate for ours, bare in zip(self.bridge, self.bare, strict=True))

    @property
    def cpu_ratio(self) -> float:
        """How many times the CPU an alert takes, the broker's included where it is ours; it minds other load least."""
        return median(run.cpu_us for run in self.bridge) / median(run.cpu_us for run in self.bare)


@dataclass(frozen=True, slots=True)
class Carrying:
    """Runs bursts over two countries in a virtual host of one broker."""

    countries: Countries
    alerts: Sequence[PremadeAlert]
    log: Path
    broker: Access

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
        await self.empty_queues()
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
        began, ended, before, after = await self._bare(placement, self.alerts, pause=0)
        return self._burst(max(ended.values()) - min(began.values()), before, after)

    async def bare_latencies(self, *, pause: float, count: int) -> list[float]:
        """Seconds from publish to consumer of the first alerts, one every `pause` seconds, in three processes."""
        began, ended, _, _ = await self._bare(THREE_PROCESSES, self.alerts[:count], pause=pause)
        return [ended[message_id] - at for message_id, at in began.items()]

    async def _bare(
        self, placement: str, alerts: Sequence[PremadeAlert], *, pause: float
    ) -> tuple[Times, Times, _Cpu, _Cpu]:
        await self.empty_queues()
        plan_file = self._write_plan(alerts, pause)
        module = ["-m", "benchmarks.bare", str(plan_file)]
        roles = [["publish"], ["move"], ["consume"]]
        commands = (
            [[*module, "publish", "move", "consume"]] if placement == ONE_PROCESS else [module + r for r in roles]
        )
        results: dict[str, Times] = {}
        async with running(commands, log=self.log) as processes:
            for process in processes:
                await read_line(process, seconds=BURST_SECONDS, log=self.log)
            pids = [process.pid for process in processes]
            before = self._cpu(pids)
            for process in reversed(processes):  # whoever publishes comes last
                if process.stdin is not None:
                    process.stdin.write(b"go\n")
                    await process.stdin.drain()
            for process in processes:
                results |= json.loads(await read_line(process, seconds=BURST_SECONDS, log=self.log))
            after = self._cpu(pids)
        plan_file.unlink()
        return results["publish"], results["consume"], before, after

    async def empty_queues(self) -> None:
        """Leaves nothing of an earlier run in the queues."""
        vhost = self.countries.settings()[0].broker.vhost
        await asyncio.to_thread(empty_queues, self.broker, vhost=vhost)

    def _write_plan(self, alerts: Sequence[PremadeAlert], pause: float) -> Path:
        origin, destination = self.countries.settings()
        point = next(point for point in destination.contact_points if point.id == RECIPIENT)
        here, there = origin.prefix, destination.prefix
        plan = Plan(
            urls={
                "publish": origin.amqp_urls(origin.broker.relay)[0],
                "move": destination.amqp_urls(destination.broker.router)[0],
                "consume": destination.amqp_urls(point.account)[0],
            },
            exchanges={"publish": names.ingress_exchange(here), "move": names.contact_points_exchange(there)},
            keys={
                "publish": names.alert_key(here, there, lane=LANE, kind="route_alert"),
                "move": names.contact_point_key(RECIPIENT, LANE),
            },
            queues={"move": names.country_queue(there, LANE), "consume": names.inbox_queue(RECIPIENT, LANE)},
            messages=[(a.row_id, a.message_id, base64.b64encode(a.wire_bytes).decode()) for a in alerts],
            pause=pause,
        )
        file = self.log.with_name("bare-plan.json")
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(plan, out)
        return file

    def _cpu(self, pids: Sequence[int]) -> _Cpu:
        broker = cpu_seconds(self.broker.pid) if isinstance(self.broker, PrivateNode) else None
        return _Cpu(tuple(cpu_seconds(pid) for pid in pids), broker)

    def _burst(self, seconds: float, before: _Cpu, after: _Cpu) -> Burst:
        count = len(self.alerts)
        broker = None
        if before.broker is not None and after.broker is not None:
            broker = (after.broker - before.broker) / count * 1e6
        spent = zip(before.processes, after.processes, strict=True)
        return Burst(count, seconds, tuple((end - start) / count * 1e6 for start, end in spent), broker)

    def _check(self, stored: dict[str, int]) -> None:
        expected = {"received": len(self.alerts), "receipts": len(self.alerts), "refused": 0, "held": 0}
        if stored != expected:
            raise UnavailableError("E_BENCHMARK", f"the run left {stored} behind; expected {expected}")


@dataclass(frozen=True, slots=True)
class _Cpu:
    processes: tuple[float, ...]
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
