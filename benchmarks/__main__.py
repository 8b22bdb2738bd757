"""`./scripts/bench`: every figure of docs/benchmarks.md, taken anew on this machine. Progress on stderr.

Ctrl-C or SIGTERM at any moment ends every process that was started and removes the folder.
"""

from __future__ import annotations

import argparse
import asyncio
import pstats
import secrets
import signal
import sqlite3
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.carrying import ONE_PROCESS, PLACEMENTS, Carrying
from benchmarks.countries import Countries, found_pair, make_alerts
from benchmarks.crypto import measure_crypto
from benchmarks.machine import machine_facts
from benchmarks.report import Figures, as_json, as_text
from benchmarks.signing_in import measure_signing_in
from benchmarks.submitting import measure_bare_latency, measure_latency, measure_submit
from benchmarks.token_keys import measure_keys
from benchmarks.trust import measure_trust
from benchmarks.urgency import PLACES, Urgency
from bridge.cli.output import emit_line, fail, say
from bridge.core.errors import BridgeError
from broker.access import Access
from broker.node import broker_for_use
from demo.network import prepare_broker

INTERRUPTED: Final = 130
PAUSE: Final = 0.05  # 20 alerts a second
PROFILE_LINES: Final = 40


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    crypto_rounds: int
    crypto_repeats: int
    trust_rounds: int
    submits: int
    alerts: int
    runs: int
    latencies: int
    backlog: int
    immediate: int
    connections: int


FULL: Final = Size(
    crypto_rounds=25,
    crypto_repeats=20,
    trust_rounds=15,
    submits=200,
    alerts=2000,
    runs=3,
    latencies=200,
    backlog=10_000,
    immediate=12,
    connections=200,
)
QUICK: Final = Size(
    crypto_rounds=9,
    crypto_repeats=8,
    trust_rounds=5,
    submits=30,
    alerts=400,
    runs=1,
    latencies=40,
    backlog=1000,
    immediate=3,
    connections=30,
)


class Benchmarks:
    """One run of everything that was asked for."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._size = QUICK if options.quick else FULL
        self._folder = folder
        self._begun = time.monotonic()
        self.figures = Figures()

    def run(self) -> Figures:
        """Measures, and answers the figures."""
        if self._options.only in (None, "crypto"):
            self._note("crypto: seal, sign, verify, open beside the bare primitives")
            size = self._size
            self.figures.crypto = measure_crypto(rounds=size.crypto_rounds, repeats=size.crypto_repeats)
        if self._options.only in (None, "keys"):
            self._note("keys: in files and on a token of SoftHSM2 (the first time it is fetched)")
            size = self._size
            self.figures.keys = measure_keys(
                self._folder / "keys", rounds=size.crypto_rounds, repeats=size.crypto_repeats
            )
        if self._options.only in (None, "trust"):
            self._note("trust: the list of 50 countries and 500 contact points")
            self.figures.trust = measure_trust(self._folder / "trust", rounds=self._size.trust_rounds)
        if self._options.only in (None, "tls"):
            self._note(f"signing in: {self._size.connections} connections by password and by certificate, in turns")
            self.figures.signing_in = measure_signing_in(self._folder / "tls", connections=self._size.connections)
        if self._options.only in (None, "carrying", "urgency"):
            self._note("RabbitMQ: a private node (the first time it is fetched: some 20 s more)")
            with broker_for_use() as broker:
                self._on(broker)
        else:
            self.figures.machine = machine_facts(self._folder, None)
        self.figures.seconds = time.monotonic() - self._begun
        return self.figures

    def _on(self, broker: Access) -> None:
        self.figures.machine = machine_facts(self._folder, broker)
        vhost = f"ncp-bridge-bench-{secrets.token_hex(4)}"
        broker.create_vhost(vhost)
        try:
            countries = found_pair(self._folder, broker=broker, vhost=vhost)
            asyncio.run(self._run_countries(countries, broker))
        finally:
            broker.delete_vhost(vhost)

    async def _run_countries(self, countries: Countries, broker: Access) -> None:
        log = self._folder / "processes.log"
        await prepare_broker(countries.configs, broker=broker)
        if self._options.only in (None, "carrying"):
            await self._carry(countries, broker, log)
        if self._options.only in (None, "urgency") and not self._options.profile:
            await self._overtake(countries, broker, log)

    async def _overtake(self, countries: Countries, broker: Access, log: Path) -> None:
        size = self._size
        self._note(f"making {size.backlog} routine alerts beforehand")
        await make_alerts(countries, size.backlog)
        urgency = Urgency(countries, size.backlog, log, broker)
        for place in PLACES:
            self._note(f"urgency: {size.immediate} immediate alerts, {size.backlog} routine ones in {place}")
            self.figures.urgency.append(await urgency.measure(place, alerts=size.immediate))

    async def _carry(self, countries: Countries, broker: Access, log: Path) -> None:
        size = self._size
        self._note("submit: one alert at a time")
        self.figures.submit = await measure_submit(countries, alerts=size.submits)
        self._note(f"making {size.alerts} alerts beforehand")
        alerts = await make_alerts(countries, size.alerts)
        self.figures.wire_bytes = len(alerts[0].wire_bytes)
        carrying = Carrying(countries, alerts, log, broker)
        if self._options.profile:
            await self._profile(carrying)
            return
        for placement in PLACEMENTS[: 1 if self._options.quick else None]:
            self._note(f"burst of {size.alerts}, {placement}: bridge and bare aio-pika in turns, {size.runs} times")
            self.figures.carrying.append(await carrying.measure(placement, runs=size.runs))
        self._note(f"latency: {size.latencies} alerts, 20 a second, bridge and then bare")
        self.figures.latency = await measure_latency(carrying, pause=PAUSE, alerts=size.latencies)
        self.figures.bare_latency = await measure_bare_latency(carrying, pause=PAUSE, alerts=size.latencies)

    async def _profile(self, carrying: Carrying) -> None:
        self._note("one burst under the profiler, all services in one process (the database's threads are not seen)")
        seen = self._folder / "profile"
        await carrying.run_bridge(ONE_PROCESS, profile=seen)
        pstats.Stats(str(seen), stream=sys.stderr).sort_stats("tottime").print_stats(PROFILE_LINES)
        pstats.Stats(str(seen), stream=sys.stderr).sort_stats("cumtime").print_stats(r"/bridge/", PROFILE_LINES)

    def _note(self, text: str) -> None:
        say(f"{time.monotonic() - self._begun:6.1f} s  {text}")


def main() -> int:
    """Measures, prints, and answers the exit status."""
    options = _options()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both end as Ctrl-C does
    try:
        with tempfile.TemporaryDirectory(prefix="ncp-bridge-bench-") as folder:
            try:
                figures = Benchmarks(options, Path(folder)).run()
            except (BridgeError, sqlite3.Error):
                for log in Path(folder).glob("*.log"):
                    say(log.read_text("utf-8")[-2000:])
                raise
    except BridgeError as error:
        return fail(error, as_json=options.json)
    except KeyboardInterrupt:
        say("stopped; every process is gone, the folder too")
        return INTERRUPTED
    if options.json:
        emit_line(as_json(figures))
    else:
        print(as_text(figures), flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/bench",
        description="Measures what the bridge costs beside doing the same with the bare libraries, on a private "
        "RabbitMQ node and SQLite. NCP_BRIDGE_AMQP_URL names another broker.",
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer repetitions: about one minute instead of five or six"
    )
    parser.add_argument("--json", action="store_true", help="print exactly one JSON object on stdout")
    parser.add_argument(
        "--only",
        choices=("crypto", "keys", "trust", "tls", "carrying", "urgency"),
        help="only this part; crypto, keys and trust need no broker",
    )
    parser.add_argument("--profile", action="store_true", help="instead of bursts, show where the time of one goes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
