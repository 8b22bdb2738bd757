"""Who sent what is held, and what that says about this machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from store_samples import refusal

from bridge.adapters.store import SqlStore
from bridge.app.checks.check_clock import check_peer_clocks
from bridge.ports.store.records import Refusal

QUOTAS = {"E_FUTURE": 10**6, "E_KEY_UNKNOWN": 10**6}


def from_the_future(sender: str | None, wire_bytes: bytes, code: str = "E_FUTURE") -> Refusal:
    return refusal(code=code, wire_bytes=wire_bytes, properties={"app_id": sender})


async def hold(store: SqlStore, *refusals: Refusal) -> None:
    async with store.writing() as unit:
        assert await unit.refusals.hold(refusals, quotas=QUOTAS) == []


@pytest.mark.parametrize(
    ("senders", "ok", "state", "said"),
    [
        ([], True, "ok", "no message is held"),
        (["rs.ncp", "rs.border-police"], True, "ok", "messages of rs seem to come from the future: its clock"),
        (["rs.ncp", "hu.ncp"], False, "clock_behind", "messages of hu, rs seem to come from the future: this clock"),
    ],
)
async def test_two_countries_together_show_that_this_clock_is_behind(
    store: SqlStore,
    senders: list[str],
    ok: bool,  # noqa: FBT001 - a table's column
    state: str,
    said: str,
) -> None:
    others = [from_the_future("at.ncp", b"another matter", "E_KEY_UNKNOWN"), from_the_future(None, b"nobody's")]
    await hold(store, *others, *(from_the_future(sender, sender.encode()) for sender in senders))

    check = await check_peer_clocks(store)

    assert (check.ok, check.state) == (ok, state)
    assert check.detail.startswith(said)


async def test_only_a_database_server_has_a_time_of_its_own(store: SqlStore, database: str) -> None:
    told = await store.server_time()

    if database == "sqlite":
        assert told is None
    else:
        assert told is not None
        assert abs(told - datetime.now(UTC)) < timedelta(minutes=1)
