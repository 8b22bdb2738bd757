"""The load generator of one country: submits through the real use case, one process all along, until its quota is done.

usage: chaos_load.py CONFIG RECORDS --quota N --seed S --peers hu,at,hr
It looks at the file `pace` in RECORDS (alerts a second) now and then, and ends at SIGTERM. What fails is counted in its
log and tried again with another alert: the quota is one of confirmed submissions.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uvloop
from chaos_alerts import IMMEDIATE, ROUTINE, Submitter, Wish
from chaos_records import SUBMITTED, RecordFiles, count_records

from bridge.cli.output import say
from bridge.compose.node import open_node
from bridge.core.errors import UnavailableError
from bridge.settings import load_settings

IMMEDIATE_SHARE: Final = 0.1
TWO_RECIPIENTS_SHARE: Final = 0.1
MOST_TOGETHER: Final = 8  # in one transaction, as a system that hands in several would
LOOK_SECONDS: Final = 0.5
AFTER_FAILURE_SECONDS: Final = 0.3
DEFAULT_PACE: Final = 20.0


class Pace:
    """Waits so that as many go out a second as the file says; what was missed is not made up for."""

    def __init__(self, file: Path) -> None:
        self._file, self._per_second = file, DEFAULT_PACE
        self._next = self._looked = 0.0

    async def wait(self, count: int) -> None:
        """Until the next ones are due."""
        now = time.monotonic()
        if now - self._looked > LOOK_SECONDS:
            self._looked = now
            if self._file.exists():
                self._per_second = float(self._file.read_text() or DEFAULT_PACE)
        if self._next > now:
            await asyncio.sleep(self._next - now)
        self._next = max(self._next, now) + count / max(self._per_second, 0.1)


async def generate(options: argparse.Namespace) -> None:
    """Submits until the quota is done or SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = load_settings(options.config)
    dice = random.Random(options.seed)  # noqa: S311 - which alert comes next, not a secret
    peers = options.peers.split(",")
    left = options.quota - count_records(options.records, SUBMITTED, f"load-{settings.prefix}.")
    pace, failures = Pace(options.records / "pace"), 0
    async with open_node(settings) as node:
        submitter = await Submitter.of(node, RecordFiles(options.records, f"load-{settings.prefix}"))
        while left > 0 and not stop.is_set():
            wishes = [_wish(dice, peers) for _ in range(min(left, dice.randint(1, MOST_TOGETHER)))]
            await pace.wait(len(wishes))
            try:
                await submitter.submit_together(wishes)
            except UnavailableError as error:
                failures += 1
                say(f"{error.code}: {error.message} ({failures} so far)")
                await asyncio.sleep(AFTER_FAILURE_SECONDS)
            else:
                left -= len(wishes)


def _wish(dice: random.Random, peers: Sequence[str]) -> Wish:
    to = dice.sample(peers, min(len(peers), 2 if dice.random() < TWO_RECIPIENTS_SHARE else 1))
    return Wish(tuple(to), IMMEDIATE if dice.random() < IMMEDIATE_SHARE else ROUTINE)


def main() -> int:
    """Reads the arguments and submits."""
    parser = argparse.ArgumentParser()
    parser.add_argument("config", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("--quota", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--peers", required=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(generate(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
