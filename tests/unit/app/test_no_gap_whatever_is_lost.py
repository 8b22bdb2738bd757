"""Whatever is lost, in whatever order: once messages pass again, everything has come exactly once, nothing is missing.

Messages, receipts, heartbeats, requests and answers to them are lost alike, by a pattern that hypothesis makes up.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from itertools import chain, repeat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from peer_worlds import HOUR, MEMORY, MINUTE, Network, network

from bridge.ports.broker import Publication

LANES = st.sampled_from(["immediate", "expected"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rs"), LANES), st.tuples(st.just("at"), LANES), st.just(("pass", "")), st.just(("start", ""))
    ),
    min_size=1,
    max_size=6,
)
LOSSES = st.lists(st.booleans(), max_size=40)


def losing(pattern: list[bool]) -> Callable[[Publication], bool]:
    """Loses by the pattern, and nothing once that has come to its end."""
    lost = chain(pattern, repeat(False))  # noqa: FBT003 - an iterator's element
    return lambda _: next(lost)


async def run(world: Network, steps: list[tuple[str, str]], pattern: list[bool]) -> None:
    loses, sent = losing(pattern), {"rs": list[str](), "at": list[str]()}
    for what, urgency in steps:
        if what == "pass":
            await world.pass_time(6 * MINUTE, loses, steps_of=3 * MINUTE)
        elif what == "start":
            for country in world.countries.values():
                country.begin()
        else:
            to = "at.ncp" if what == "rs" else "rs.ncp"
            sent[what].append(await world.countries[what].submit(to, urgency=urgency))
            await world.carry(loses)

    # Longer than a number that was asked for in vain twice waits for the third time, and once more for what came of it.
    await world.pass_time(90 * MINUTE, loses, steps_of=10 * MINUTE)
    await world.pass_time(14 * HOUR, steps_of=2 * HOUR)

    for own, peer in (("rs", "at"), ("at", "rs")):
        country, other = world.countries[own], world.countries[peer]
        assert sorted(await other.received()) == sorted(sent[own])
        assert await other.missing() == []
        assert set(await country.states(sent[own])) <= {"delivered"}
        assert await other.node.quarantined() == []
        for check in ("sequence", "void numbers", "asked again", "peers"):
            assert (await country.check(check)).ok


@pytest.mark.parametrize("examples", [12])
def test_no_gap_stays_whatever_was_lost(migrated_node_file: Path, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=[Phase.generate],
    )
    @given(steps=STEPS, pattern=LOSSES)
    def holds(steps: list[tuple[str, str]], pattern: list[bool]) -> None:
        async def in_a_world() -> None:
            with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
                async with network(Path(folder), migrated_node_file) as world:
                    await run(world, steps, pattern)

        asyncio.run(in_a_world())

    holds()
