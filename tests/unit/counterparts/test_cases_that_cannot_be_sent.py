"""A conformance case that could not be sent, or not be judged, is no rule that was kept."""

from __future__ import annotations

from typing import cast

import pytest

from bridge.conformance.bench import Bench
from bridge.conformance.case import Case, Verdict
from bridge.conformance.running import _tried
from bridge.core.errors import UnavailableError


@pytest.mark.parametrize("error", [UnavailableError("E_BROKER", "the line is closed"), RuntimeError("drained")])
async def test_it_fails(error: Exception) -> None:
    async def run(_: Bench) -> str:
        raise error

    result = await _tried(cast("Bench", None), Case("one", "a rule", "something", "something", run))
    assert result.verdict is Verdict.FAIL
    assert result.seen.startswith(("could not be sent", "could not be judged"))
