"""The short form of ./scripts/chaos: every kind of fault once, several at a time; and two builds that must be caught.

The builds go through the same run and the same oracle. One acknowledges before it commits, the other marks as sent
before the broker has confirmed; each is killed between the two steps.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import chaos_plan as plan
import pytest
from chaos_hooks import ACKNOWLEDGE_FIRST, MARK_FIRST
from chaos_run import Order, Outcome, Run
from chaos_world import World, founded, prepare
from servers.missing import server_is_missing

from bridge.cli.output import say
from bridge.core.errors import UnavailableError
from broker import PrivateNode

SEED = 20261124
MESSAGES = 200
AT_ONCE = 6
PAIR = ("at", "rs")
_RUNS = itertools.count(1)

pytestmark = [pytest.mark.broker, pytest.mark.postgres]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Four countries on a broker of their own, for it is killed here."""
    with contextlib.ExitStack() as stack:
        try:
            broker = stack.enter_context(PrivateNode())
            made = stack.enter_context(founded(tmp_path_factory.mktemp("chaos"), [broker], vhost="chaos"))
        except UnavailableError as error:
            server_is_missing(error)
        asyncio.run(prepare(made))
        yield made


def test_every_alert_arrives_exactly_once_under_every_kind_of_fault(world: World) -> None:
    # given
    kinds = [kind for kind in plan.KINDS if kind != plan.DISK_FULL or world.no_small_disk is None]
    if len(kinds) < len(plan.KINDS):
        server_is_missing(world.no_small_disk)
    faults = plan.plan_faults(SEED, len(kinds), kinds=kinds, brief=True)

    # when
    outcome = run(world, Order(MESSAGES, faults, SEED, at_once=AT_ONCE, patience=60))

    # then
    assert outcome.verdict.findings == ()
    assert outcome.verdict.messages >= MESSAGES
    assert outcome.stuck == []
    assert set(outcome.faults) == set(kinds), outcome.not_made


@pytest.mark.parametrize(
    ("mutant", "kind"),
    [(ACKNOWLEDGE_FIRST, plan.KILL_BEFORE_ACKNOWLEDGE), (MARK_FIRST, plan.KILL_BEFORE_MARK)],
)
def test_a_build_that_does_it_in_the_wrong_order_is_caught(world: World, mutant: str, kind: str) -> None:
    # given the smallest network in which something can be lost, and the probes as its only load
    pair = replace(world, countries={prefix: world.countries[prefix] for prefix in PAIR})
    fault = plan.Fault(number=0, kind=kind, target="rs", seconds=0, dice=0)

    # when
    outcome = run(pair, Order(0, [fault], SEED, mutant=mutant, patience=3))

    # then
    assert outcome.faults == {kind: 1}, outcome.not_made
    assert not outcome.quiet or outcome.verdict.lost
    assert outcome.verdict.lost


def run(world: World, order: Order) -> Outcome:
    """One run with records and logs of its own."""
    folder = world.folder / f"run-{next(_RUNS)}"
    records = folder / "records"
    records.mkdir(parents=True)
    begun = time.monotonic()

    def note(text: str) -> None:
        say(f"{time.monotonic() - begun:6.1f} s  {text}")

    note(f"seed {order.seed}, logs in {Path(folder)}")
    return asyncio.run(Run(replace(world, folder=folder, records=records), order, note).run())
