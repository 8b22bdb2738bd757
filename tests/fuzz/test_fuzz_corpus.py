"""The kept corpus is read without a surprise, and so is what a few seconds of fuzzing make of it."""

from __future__ import annotations

import importlib.util

import fuzz_targets
import pytest
from fuzzing import fuzz, kept_corpus

SECONDS = 3


def test_every_kept_input_is_read_or_refused_and_nothing_else_happens() -> None:
    for one in [*fuzz_targets.seeds(), *kept_corpus()]:
        fuzz_targets.try_input(one)


def test_every_target_is_reached_by_the_kept_corpus() -> None:
    assert {one[:1] for one in kept_corpus()} >= set(fuzz_targets.TARGETS)


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this machine")
def test_a_few_seconds_of_fuzzing_find_nothing() -> None:
    run = fuzz(SECONDS)
    assert run.executions > 0, run.log
    assert run.findings == (), run.log
