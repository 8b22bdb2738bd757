"""Whatever numbers come, in whatever order and batches, the book agrees with counting them one by one.

On SQLite only: the ranges are worked out in Python, the same for both databases.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from store_samples import later, use

from bridge.adapters.store import open_store
from bridge.ports.store.records import SequenceUse

NUMBERS = st.integers(min_value=0, max_value=25)
STREAMS = st.sampled_from([("rs.ncp", "urgent"), ("rs.ncp", "normal"), ("hu.ncp", "urgent")])
USES = st.tuples(STREAMS, NUMBERS, st.sampled_from(["a", "b"]))


class Book(RuleBasedStateMachine):
    """The store's book beside a plain set of what came."""

    migrated: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "book.db"
        shutil.copy(self.migrated, path)
        self.runner = asyncio.Runner()
        self.store = open_store(f"sqlite:///{path}")
        self.seen: dict[tuple[tuple[str, str], int], str] = {}

    def teardown(self) -> None:
        self.runner.run(self.store.close())
        self.runner.close()
        self.folder.cleanup()

    @rule(batch=st.lists(USES, min_size=1, max_size=8))
    def arrive(self, batch: list[tuple[tuple[str, str], int, str]]) -> None:
        uses = [use(number, f"{user}{number}", sender=to[0], lane=to[1]) for to, number, user in batch]
        expected = []
        for one, (stream, number, _) in zip(uses, batch, strict=True):
            if self.seen.setdefault((stream, number), one.message_id) != one.message_id:
                expected.append(one)
        assert self.runner.run(self._note(uses)) == expected

    @invariant()
    def gaps_are_what_is_missing_between_the_lowest_and_the_highest(self) -> None:
        missing = set()
        for stream in {stream for stream, _ in self.seen}:
            numbers = {number for of, number in self.seen if of == stream}
            missing |= {(*stream, number) for number in range(min(numbers), max(numbers)) if number not in numbers}
        assert self.runner.run(self._gaps()) == missing

    async def _note(self, uses: list[SequenceUse]) -> list[SequenceUse]:
        async with self.store.writing() as unit:
            return list(await unit.inbox.use_numbers(uses, later(0)))

    async def _gaps(self) -> set[tuple[str, str, int]]:
        async with self.store.reading() as unit:
            gaps = await unit.inbox.gaps(older_than=later(1))
        found = [(sender, lane, number) for _, sender, _, lane, number in gaps]
        assert len(found) == len(set(found))
        return set(found)


def test_the_book_of_numbers_agrees_with_counting_them(migrated_file: Path) -> None:
    Book.migrated = migrated_file
    run_state_machine_as_test(
        Book,
        settings=settings(
            max_examples=20,
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
