"""The plan of faults is a function of its seed, and leaves no kind out."""

from __future__ import annotations

from collections import Counter

from chaos_plan import BROKER_KILL, BROKER_STALL, KINDS, plan_cluster, plan_faults


def test_the_same_seed_gives_the_same_plan_and_another_one_another() -> None:
    assert plan_faults(7, 200, kinds=list(KINDS)) == plan_faults(7, 200, kinds=list(reversed(KINDS)))
    assert plan_faults(7, 200, kinds=list(KINDS)) != plan_faults(8, 200, kinds=list(KINDS))


def test_every_kind_comes_before_any_comes_again() -> None:
    first = plan_faults(7, 200, kinds=list(KINDS))[: len(KINDS)]
    assert {fault.kind for fault in first} == set(KINDS)


def test_a_fault_has_a_target_of_its_kind_and_lasts_as_long_as_its_kind_may() -> None:
    for fault in plan_faults(7, 200, kinds=list(KINDS)):
        kind = KINDS[fault.kind]
        assert fault.target in kind.targets
        assert kind.shortest <= fault.seconds <= kind.longest


def test_a_cluster_loses_each_node_in_both_ways() -> None:
    plan = plan_cluster(7, 3, 15)
    lost = Counter((fault.kind, fault.number % 3) for fault in plan[:6])
    assert lost == Counter((kind, node) for kind in (BROKER_KILL, BROKER_STALL) for node in range(3))
