"""Which conformance cases are tried: what is left out is told as skipped, and the first one is never left out."""

from __future__ import annotations

from typing import cast

import pytest

from bridge.cli.conformance import _chosen
from bridge.conformance.bench import Bench
from bridge.conformance.case import Verdict
from bridge.conformance.running import CASES, _tried
from bridge.core.errors import BadInputError


async def test_what_is_left_out_is_told_as_skipped() -> None:
    chosen = _chosen([], ["poison"])
    assert [case.id for case in chosen] == [case.id for case in CASES]
    (left_out,) = [case for case in chosen if case not in CASES]
    result = await _tried(cast("Bench", None), left_out)
    assert (result.case.id, result.verdict) == ("poison", Verdict.SKIPPED)
    assert "left out" in result.seen


def test_the_case_that_all_others_are_judged_behind_is_not_left_out() -> None:
    with pytest.raises(BadInputError, match="--without alive"):
        _chosen([], ["alive"])


def test_only_those_that_were_asked_for_are_chosen() -> None:
    assert [case.id for case in _chosen(["poison"], [])] == ["poison"]
