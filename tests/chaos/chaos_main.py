"""`./scripts/chaos`: faults at random while alerts flow between four countries; one assertion at the end."""

from __future__ import annotations

import argparse
import math
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import chaos_plan as plan
from chaos_hooks import MUTANTS
from chaos_parts import Part, run_cluster, run_rabbitmq_4, run_single
from chaos_report import as_table
from chaos_run import Order
from chaos_world import enter_mount_namespace

from bridge.cli.output import emit_line, fail, say
from bridge.core.errors import BridgeError

INTERRUPTED: Final = 130
MESSAGES: Final = 100_000
FAULTS: Final = 200
SPARE_SHARE: Final = 0.2  # some cannot be made: a load generator has nothing to do, a point is not come by
CLUSTER_MESSAGES: Final = 4_000
CLUSTER_FAULTS: Final = 15


def main() -> int:
    """Runs, reports, and answers the exit status: 1 when anything is lost, twice, unexpected or unproven."""
    options = _options()
    note = _noting(time.monotonic())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    enter_mount_namespace()
    folder = Path(options.keep or tempfile.mkdtemp(prefix="ncp-bridge-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        report, holds = _run(options, folder, note)
    except BridgeError as error:
        return fail(error, as_json=options.json)
    except KeyboardInterrupt:
        note("stopped; every process is gone")
        return INTERRUPTED
    finally:
        if options.keep is None:
            shutil.rmtree(folder, ignore_errors=True)
    table = as_table(report)
    if options.table:
        options.table.write_text(table, "utf-8")
    if options.json:
        emit_line(report)
    else:
        print(table, flush=True)  # noqa: T201 - it is what was asked for
    return 0 if holds else 1


def _run(options: argparse.Namespace, folder: Path, note: Callable[[str], None]) -> tuple[dict[str, Any], bool]:
    seed = random.SystemRandom().randrange(2**31) if options.seed is None else options.seed
    note(f"seed {seed}")
    with_spare = options.faults + math.ceil(options.faults * SPARE_SHARE)
    order = Order(
        options.messages,
        plan.plan_faults(seed, with_spare, kinds=_kinds(options), brief=options.brief),
        seed,
        mutant=options.mutant,
        wanted=options.faults,
        at_once=options.at_once,
        patience=options.patience,
    )
    report, holds = run_single(Part(folder / "single", order, note))
    whole = options.messages >= MESSAGES and options.faults >= FAULTS
    if whole if options.cluster is None else options.cluster:
        order = Order(CLUSTER_MESSAGES, [], seed, patience=options.patience)
        report["cluster"], held = run_cluster(Part(folder / "cluster", order, note), faults=CLUSTER_FAULTS)
        holds = holds and held
    if whole if options.rabbitmq_4 is None else options.rabbitmq_4:
        report["rabbitmq_4"], passed = run_rabbitmq_4(note)
        holds = holds and passed
    return report, holds


def _kinds(options: argparse.Namespace) -> Sequence[str]:
    chosen = options.only.split(",") if options.only else plan.KINDS
    left_out = options.without.split(",") if options.without else ()
    unknown = {*chosen, *left_out} - plan.KINDS.keys()
    if unknown:
        raise SystemExit(f"unknown kinds of faults: {', '.join(sorted(unknown))}; known are {', '.join(plan.KINDS)}")
    return [kind for kind in chosen if kind not in left_out]


def _noting(begun: float) -> Callable[[str], None]:
    def note(text: str) -> None:
        say(f"{time.monotonic() - begun:7.1f} s  {text}")

    return note


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="./scripts/chaos",
        description="Faults at random while alerts flow between four countries; at the end every alert has taken "
        "effect exactly once at every recipient, or the ids are printed and the status is 1.",
    )
    parser.add_argument("--seed", type=int, help="of the faults and the load; a random one by default, printed")
    parser.add_argument("--messages", type=int, default=MESSAGES, help=f"{MESSAGES:,} by default")
    parser.add_argument("--faults", type=int, default=FAULTS, help=f"{FAULTS} by default")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of the table")
    parser.add_argument("--table", type=Path, metavar="FILE", help="write the Markdown table there, too")
    part = argparse.BooleanOptionalAction
    parser.add_argument(
        "--cluster", action=part, help="the same on three nodes, each lost in turn; part of the long form"
    )
    parser.add_argument("--rabbitmq-4", action=part, help="the integration tests on RabbitMQ 4; part of the long form")
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
