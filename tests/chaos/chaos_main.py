"""`./scripts/chaos`: faults at random while alerts flow between four countries; one assertion at the end."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import chaos_plan as plan
import uvloop
from chaos_hooks import MUTANTS
from chaos_report import as_json, as_table, machine_facts
from chaos_run import Order, Outcome, Run
from chaos_world import enter_mount_namespace, founded, prepare

from bridge.adapters.amqp.management import Management
from bridge.cli.output import emit_line, fail, say
from bridge.core.errors import BridgeError
from broker import broker_for_use

INTERRUPTED: Final = 130
VHOST: Final = "chaos"
MESSAGES: Final = 100_000
FAULTS: Final = 200


def main() -> int:
    """Runs, reports, and answers the exit status: 1 when anything is lost, twice, unexpected or unproven."""
    options = _options()
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    note = _noting(time.monotonic())
    note(f"seed {seed}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    enter_mount_namespace()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="ncp-bridge-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report, table, holds = _run(options, seed, folder, note)
    except BridgeError as error:
        return fail(error, as_json=options.json)
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    if options.table:
        options.table.write_text(table, "utf-8")
    if options.json:
        emit_line(report)
    else:
        print(table, flush=True)  # noqa: T201 - it is what was asked for
    return 0 if holds else 1


def _run(
    options: argparse.Namespace, seed: int, folder: Path, note: Callable[[str], None]
) -> tuple[dict[str, object], str, bool]:
    faults = plan.plan_faults(seed, options.faults, kinds=_kinds(options), brief=options.brief)
    order = Order(
        options.messages, faults, seed, mutant=options.mutant, at_once=options.at_once, patience=options.patience
    )
    with broker_for_use() as broker, founded(folder, broker, vhost=VHOST) as world:
        if world.no_small_disk and plan.DISK_FULL in _kinds(options):
            if os.environ.get("CI"):
                raise SystemExit(world.no_small_disk)
            note(f"disk full is left out: {world.no_small_disk}")
        machine = machine_facts(_version(broker.management_url))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(prepare(world))
            outcome = runner.run(Run(world, order, note).run())
    for finding in outcome.verdict.findings[:50]:
        note(finding)
    report = as_json(outcome, seed=seed, machine=machine)
    return report, as_table(report), _holds(outcome)


def _holds(outcome: Outcome) -> bool:
    return outcome.verdict.holds and outcome.quiet and not outcome.stuck


def _kinds(options: argparse.Namespace) -> Sequence[str]:
    chosen = options.only.split(",") if options.only else plan.KINDS
    left_out = options.without.split(",") if options.without else ()
    return [kind for kind in chosen if kind not in left_out]


def _version(management_url: str) -> str:
    _, answer = Management.at(management_url).request("GET", "/api/overview")
    return str(json.loads(answer)["rabbitmq_version"])


def _noting(begun: float) -> Callable[[str], None]:
    def note(text: str) -> None:
        say(f"{time.monotonic() - begun:7.1f} s  {text}")

    return note


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./scripts/chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="of the faults and the load; a random one by default, printed")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"{MESSAGES:,} by default")
    parser.add_argument("--faults", type=int, default=FAULTS, help=f"{FAULTS} by default")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of the table")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the Markdown table there, too")
    parser.add_argument("--only", metavar="KINDS", help=f"of {', '.join(plan.KINDS)}")
    parser.add_argument("--without", metavar="KINDS", help="leave these kinds out")
    parser.add_argument("--brief", action="store_true", help="every fault as short as its kind allows")
    parser.add_argument("--at-once", type=int, default=1, help="faults under way at the same time; 1 by default")
    parser.add_argument("--mutant", choices=MUTANTS, help="run a build that is wrong on purpose: it must be caught")
    parser.add_argument("--patience", type=float, default=400.0, help="seconds without any progress before it gives up")
    parser.add_argument("--keep", metavar="DIR", help="work there and leave databases and logs")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
