"""The audit log's chain: what was written holds; what was changed, removed or put in afterwards is found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from released_databases import execute
from store_samples import NOW, entry

from bridge.adapters.store import SqlStore
from bridge.app.audit.chain import LAG_SECONDS, CheckAudit, SealAudit, chain_key

KEY = chain_key(b"k" * 32)


@dataclass
class Clocks:
    """The wall clock, and one that cannot be set."""

    seconds: float = 0.0

    def now(self) -> object:
        return NOW

    def monotonic(self) -> float:
        return self.seconds


async def given_entries(store: SqlStore, count: int) -> None:
    async with store.writing() as unit:
        await unit.audit.add(
            [replace(entry(f"message-{number}"), detail={"n": str(number)}) for number in range(count)]
        )


async def sealed(store: SqlStore, *, key: bytes = KEY) -> int:
    """What a sealer does that has been running for a while."""
    clocks = Clocks()
    sealer = SealAudit(store, clocks, key, clocks.monotonic)  # type: ignore[arg-type]
    assert await sealer.seal() == 0
    clocks.seconds = LAG_SECONDS
    return await sealer.seal()


async def test_what_was_written_holds(store: SqlStore) -> None:
    await given_entries(store, 2500)
    assert await sealed(store) == 2500
    await given_entries(store, 3)

    found = await CheckAudit(store, KEY).check()

    assert (found.sealed, found.unsealed, found.broken_behind) == (2500, 3, None)
    assert await sealed(store) == 3
    assert (await CheckAudit(store, KEY).check()).sealed == 2503


async def test_an_empty_log_holds(store: SqlStore) -> None:
    assert await sealed(store) == 0

    found = await CheckAudit(store, KEY).check()

    assert (found.sealed, found.broken_behind, found.last) == (0, None, "")


async def test_nothing_young_is_sealed(store: SqlStore) -> None:
    clocks = Clocks()
    sealer = SealAudit(store, clocks, KEY, clocks.monotonic)  # type: ignore[arg-type]
    await sealer.seal()
    await given_entries(store, 1)
    clocks.seconds = LAG_SECONDS - 1
    assert await sealer.seal() == 0
    clocks.seconds = LAG_SECONDS + 1
    assert await sealer.seal() == 0
    clocks.seconds = 2 * LAG_SECONDS
    assert await sealer.seal() == 1


TAMPERING = {
    "an actor": "UPDATE audit SET actor = 'nobody' WHERE subject = 'message-3'",
    "a detail": "UPDATE audit SET detail = '{\"n\": \"4\"}' WHERE subject = 'message-3'",
    "a time": "UPDATE audit SET at = at + 1 WHERE subject = 'message-3'",
    "an entry removed": "DELETE FROM audit WHERE subject = 'message-3'",
    "the last removed": "DELETE FROM audit WHERE subject = 'message-9'",
    "a seal": "UPDATE audit_seal SET count = count - 1",
    "two exchanged": "UPDATE audit SET subject = CASE subject WHEN 'message-3' THEN 'message-4'"
    " WHEN 'message-4' THEN 'message-3' ELSE subject END",
}


@pytest.mark.parametrize("what", TAMPERING)
async def test_whatever_was_changed_behind_its_back_is_found(store: SqlStore, store_url: str, what: str) -> None:
    await given_entries(store, 10)
    await sealed(store)

    execute(store_url, TAMPERING[what])

    assert (await CheckAudit(store, KEY).check()).broken_behind == 0


async def test_whoever_has_the_database_alone_makes_no_seal(store: SqlStore, store_url: str) -> None:
    await given_entries(store, 10)
    await sealed(store)
    execute(store_url, TAMPERING["an actor"])
    execute(store_url, "DELETE FROM audit_seal")

    await sealed(store, key=chain_key(b"x" * 32))

    assert (await CheckAudit(store, KEY).check()).broken_behind == 0


async def test_two_sealers_make_one_chain(store: SqlStore) -> None:
    await given_entries(store, 10)
    assert await sealed(store) == 10
    await given_entries(store, 5)
    assert await sealed(store) == 5
    assert await sealed(store) == 0
    assert (await CheckAudit(store, KEY).check()).sealed == 15
