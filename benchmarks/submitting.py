"""Submitting, and the way from submitting to the inbox at a low rate."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

from benchmarks.carrying import THREE_PROCESSES, Carrying, service_commands
from benchmarks.cases import SENDER, sample_alert
from benchmarks.countries import Countries, begin_anew, prepare_draft, reading_arrivals, where_alerts_are
from benchmarks.processes import running, until_exist
from bridge.adapters.store.schema import migrate
from bridge.compose.node import open_node
from bridge.core.errors import UnavailableError

LOOK_SECONDS: Final = 0.002
ARRIVAL_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class SubmitFigure:
    """One alert at a time, each in a transaction of its own; medians per alert."""

    alerts: int
    milliseconds: float
    cpu_us: float
    read_and_route_us: float


@dataclass(frozen=True, slots=True)
class LatencyFigure:
    """Milliseconds at a given rate."""

    per_second: float
    alerts: int
    p50_ms: float
    p99_ms: float


async def measure_submit(countries: Countries, *, alerts: int) -> SubmitFigure:
    """Reads the file, screens, routes, seals to one recipient, signs and stores, as `alert submit` does."""
    begin_anew(countries)
    settings, _ = countries.settings()
    await migrate(settings.database_url)
    walls, cpus, readings = [], [], []
    async with open_node(settings) as node:
        submitting, draft = await prepare_draft(node)
        for _ in range(alerts):
            begun, cpu = time.perf_counter(), time.process_time()
            await submitting.prepare(sample_alert(), sender=SENDER)
            readings.append(time.process_time() - cpu)
            await submitting.sending.send(draft, sender=SENDER)
            walls.append(time.perf_counter() - begun)
            cpus.append(time.process_time() - cpu)
    return SubmitFigure(alerts, median(walls) * 1e3, median(cpus) * 1e6, median(readings) * 1e6)


async def measure_latency(carrying: Carrying, *, pause: float, alerts: int) -> LatencyFigure:
    """From handing an alert over to be sent until its row is committed in the inbox, in three processes.

    Raises:
        UnavailableError: not every alert arrived.
    """
    countries, log = carrying.countries, carrying.log
    await carrying.empty_queues()
    begin_anew(countries)
    commands, ready_files = service_commands(countries, THREE_PROCESSES)
    began: dict[str, float] = {}
    async with running(commands, log=log) as processes:
        await until_exist(ready_files, processes, log=log)
        async with open_node(countries.settings()[0]) as node:
            submitting, draft = await prepare_draft(node)
            with reading_arrivals(countries) as destination:
                watching = asyncio.create_task(_watch(destination, countries, alerts))
                due = time.monotonic()
                for _ in range(alerts):
                    begun = time.monotonic()
                    submitted = await submitting.sending.send(draft, sender=SENDER)
                    began[submitted.id] = begun
                    due += pause
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                ended = await watching
    return latency_of([ended[message_id] - at for message_id, at in began.items()], pause=pause)


async def measure_bare_latency(carrying: Carrying, *, pause: float, alerts: int) -> LatencyFigure:
    """The same way over the broker without the bridge: from publishing to the second consumer."""
    return latency_of(await carrying.bare_latencies(pause=pause, count=alerts), pause=pause)


def latency_of(seconds: Sequence[float], *, pause: float) -> LatencyFigure:
    """Median and 99th percentile of single latencies."""
    hundredths = quantiles(seconds, n=100, method="inclusive")
    return LatencyFigure(1 / pause, len(seconds), hundredths[49] * 1e3, hundredths[98] * 1e3)


async def _watch(destination: sqlite3.Connection, countries: Countries, expected: int) -> dict[str, float]:
    """When each alert's row could first be seen."""
    seen: dict[str, float] = {}
    position, last = 0, time.monotonic()
    while len(seen) < expected:
        await asyncio.sleep(LOOK_SECONDS)
        rows = destination.execute("SELECT position, id FROM inbox WHERE position > ?", (position,)).fetchall()
        now = time.monotonic()
        for found, message_id in rows:
            seen[message_id], position, last = now, found, now
        if now - last > ARRIVAL_SECONDS:
            missing = f"{expected - len(seen)} of {expected} alerts did not arrive"
            raise UnavailableError("E_BENCHMARK", f"{missing}; {where_alerts_are(countries)}")
    return seen
