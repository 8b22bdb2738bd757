"""Where tests run in several processes: one that is marked `alone` has the machine to itself as far as they go.

Two locks let either one such test or any number of the others run. Whoever wants to begin holds the turn until it has
its place, so that a test that waits for the machine does not wait behind all that come after it.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".cache"
SEVERAL = "workerinput"  # pytest-xdist's, in the configuration of its processes


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Around the test with its fixtures; the time that it waits here is not counted against it."""
    if not hasattr(item.config, SEVERAL):
        return (yield)
    with _place(fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH):
        return (yield)


@contextmanager
def _place(kind: int) -> Iterator[None]:
    with (CACHE / "tests-turn.lock").open("w") as turn, (CACHE / "tests-machine.lock").open("w") as machine:
        fcntl.flock(turn, fcntl.LOCK_EX)
        fcntl.flock(machine, kind)
        fcntl.flock(turn, fcntl.LOCK_UN)
        yield
