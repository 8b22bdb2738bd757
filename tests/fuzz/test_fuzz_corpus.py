"""The kept corpus is read without a surprise, and so is what a few seconds of fuzzing make of it."""

from __future__ import annotations

import importlib.util

import fuzz_targets
import pytest
from fuzzing import fuzz, kept_corpus

INPUTS = 40_000  # 3 to 4 s; the same ones every time, so that a change is judged by what it changed
SECONDS_AT_MOST = 60


def test_every_kept_input_is_read_or_refused_and_nothing_else_happens() -> None:
    for one in [*fuzz_targets.seeds(), *kept_corpus()]:
        fuzz_targets.try_input(one)


def test_every_target_is_reached_by_the_kept_corpus() -> None:
    assert {one[:1] for one in kept_corpus()} >= set(fuzz_targets.TARGETS)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine")
def test_forty_thousand_inputs_of_the_fuzzer_find_nothing() -> None:
    run = fuzz(SECONDS_AT_MOST, same_every_time=INPUTS)
    assert run.executions > 0, run.log
    assert run.findings == (), run.log
