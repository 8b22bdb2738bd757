"""The parts of the long form: one broker, a cluster that loses its nodes in turn, the tests on RabbitMQ 4."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import chaos_plan as plan
import uvloop
from chaos_report import as_json, machine_facts
from chaos_run import Order, Outcome, Run
from chaos_services import ROOT
from chaos_world import World, founded, prepare

from bridge.adapters.amqp.management import Management
from bridge.core.errors import UnavailableError
from broker import Access, PrivateCluster, broker_for_use

VHOST: Final = "chaos"
NODES: Final = 3
MOST_TOLD: Final = 50
NOT_TO_BE_HAD: Final = 4  # what scripts/test-rabbitmq-4 answers then


@dataclass(frozen=True)
class Part:
    """A folder to work in, what is asked for, and where progress goes."""

    folder: Path
    order: Order
    note: Callable[[str], None]


def run_single(part: Part) -> tuple[dict[str, Any], bool]:
    """On one broker: the report, and whether everything holds."""
    with broker_for_use() as broker:
        return _run(part, [broker])


def run_cluster(part: Part, *, faults: int) -> tuple[dict[str, Any], bool]:
    """On three nodes, each killed and stalled in turn, then other faults at random."""
    part.note("the cluster: three nodes, each of them lost in turn")
    order = replace(part.order, plan=plan.plan_cluster(part.order.seed, NODES, faults))
    with PrivateCluster(NODES) as cluster:
        return _run(replace(part, order=order), cluster.nodes)


def run_rabbitmq_4(note: Callable[[str], None]) -> tuple[dict[str, Any], bool]:
    """The tests that need a broker, on RabbitMQ 4; what cannot be had fails in CI and is named elsewhere."""
    note("the integration tests on RabbitMQ 4")
    begun = time.monotonic()
    command = [str(ROOT / "scripts" / "test-rabbitmq-4"), "-q"]
    status = subprocess.run(command, stdout=sys.stderr, check=False).returncode  # noqa: S603 - our own command
    passed = status == 0 or (status == NOT_TO_BE_HAD and not os.environ.get("CI"))
    return {"status": status, "seconds": round(time.monotonic() - begun, 1)}, passed


def _run(part: Part, brokers: Sequence[Access]) -> tuple[dict[str, Any], bool]:
    part.folder.mkdir()
    with ExitStack() as stack:
        world = stack.enter_context(founded(part.folder, brokers, vhost=VHOST))
        _check_disk(world, part)
        machine = machine_facts(_version(brokers[0]))
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))
        runner.run(prepare(world))
        outcome = runner.run(Run(world, part.order, part.note).run())
    for finding in outcome.verdict.findings[:MOST_TOLD]:
        part.note(finding)
    return as_json(outcome, seed=part.order.seed, machine=machine), _holds(outcome)


def _check_disk(world: World, part: Part) -> None:
    """A fault kind that cannot be made here is named; in CI that is a failure."""
    if world.no_small_disk and any(fault.kind == plan.DISK_FULL for fault in part.order.plan):
        if os.environ.get("CI"):
            raise UnavailableError("E_CHAOS_DISK", world.no_small_disk)
        part.note(f"a full disk is left out: {world.no_small_disk}")


def _holds(outcome: Outcome) -> bool:
    return outcome.verdict.holds and outcome.quiet and not outcome.stuck


def _version(broker: Access) -> str:
    _, answer = Management.at(broker.management_url).request("GET", "/api/overview")
    return str(json.loads(answer)["rabbitmq_version"])
