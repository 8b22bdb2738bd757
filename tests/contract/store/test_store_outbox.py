"""The outbox: leases, order, retries."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from itertools import chain

import pytest
from sqlalchemy import select, text, update
from store_samples import NOW, later, outbox_row

from bridge.adapters.store import SqlStore
from bridge.adapters.store.outbox import _arms
from bridge.adapters.store.tables import outbox
from bridge.ports.store import Store
from bridge.ports.store.records import OutboxRow

LEASE_SECONDS = 60.0


async def given(store: Store, *rows: OutboxRow) -> None:
    async with store.writing() as unit:
        await unit.outbox.add(rows)


async def claim(
    store: Store, token: str, *, now: datetime = NOW, limit: int = 100, relay: str = "publisher"
) -> list[OutboxRow]:
    async with store.writing() as unit:
        rows = await unit.outbox.claim(relay, token=token, now=now, lease_seconds=LEASE_SECONDS, limit=limit)
    return list(rows)


async def test_a_claimed_row_is_what_was_added_byte_for_byte(store: Store) -> None:
    row = outbox_row(attempts=3, last_error="unroutable")
    await given(store, row)

    assert await claim(store, "t1") == [row]


async def test_urgent_rows_come_before_normal_ones_and_older_before_newer(store: Store) -> None:
    rows = [outbox_row(lane=lane) for lane in ("normal", "urgent", "normal", "urgent")]
    await given(store, *rows)

    claimed = await claim(store, "t1")

    assert [row.id for row in claimed] == [rows[1].id, rows[3].id, rows[0].id, rows[2].id]


async def test_order_is_by_arrival_whatever_the_clock_said(store: Store) -> None:
    first, second = outbox_row(created_at=later(900)), outbox_row(created_at=NOW)
    await given(store, first)
    await given(store, second)

    assert [row.id for row in await claim(store, "t1")] == [first.id, second.id]


async def test_a_claim_takes_no_more_than_its_limit(store: Store) -> None:
    rows = [outbox_row() for _ in range(5)]
    await given(store, *rows)

    claimed = [await claim(store, token, limit=2) for token in ("t1", "t2", "t3", "t4")]

    assert [[row.id for row in part] for part in claimed] == [
        [rows[0].id, rows[1].id],
        [rows[2].id, rows[3].id],
        [rows[4].id],
        [],
    ]


async def test_a_relay_gets_its_own_rows_only(store: Store) -> None:
    ours, theirs = outbox_row(), outbox_row(relay="subscriber")
    await given(store, ours, theirs)

    assert await claim(store, "t1") == [ours]
    assert await claim(store, "t2", relay="subscriber") == [theirs]


async def test_two_relays_at_once_never_get_the_same_row(store: Store, other_store: Store) -> None:
    rows = [outbox_row(lane=lane) for lane in ("urgent", "normal") * 100]
    await given(store, *rows)

    async def take_all(own: Store, name: str) -> list[str]:
        taken: list[str] = []
        while part := await claim(own, f"{name}-{len(taken)}", limit=7):
            taken += [row.id for row in part]
        return taken

    taken = await asyncio.gather(
        *(take_all(own, name) for own, name in ((store, "a"), (other_store, "b"), (store, "c")))
    )

    assert sorted(chain.from_iterable(taken)) == sorted(row.id for row in rows)


async def test_a_lease_that_ran_out_is_due_again(store: Store) -> None:
    row = outbox_row()
    await given(store, row)
    await claim(store, "t1")

    assert await claim(store, "t2", now=later(LEASE_SECONDS - 1)) == []
    assert await claim(store, "t3", now=later(LEASE_SECONDS)) == [row]


@pytest.mark.parametrize("token", ["t2", "", "T1"])
async def test_a_wrong_token_marks_nothing(store: Store, token: str) -> None:
    row = outbox_row()
    await given(store, row)
    await claim(store, "t1")

    async with store.writing() as unit:
        assert await unit.outbox.mark_sent([row.id], token=token, now=NOW) == 0
        assert await unit.outbox.mark_failed([row.id], token=token, next_attempt_at=NOW, error="unknown") == 0
        assert await unit.outbox.backlog("publisher") == (1, NOW)


async def test_who_lost_the_lease_to_another_marks_nothing(store: Store) -> None:
    row = outbox_row()
    await given(store, row)
    await claim(store, "t1")
    await claim(store, "t2", now=later(LEASE_SECONDS))

    async with store.writing() as unit:
        assert await unit.outbox.mark_sent([row.id], token="t1", now=later(61)) == 0
        assert await unit.outbox.mark_sent([row.id], token="t2", now=later(61)) == 1


async def test_a_sent_row_is_never_claimed_nor_marked_again(store: Store) -> None:
    row = outbox_row()
    await given(store, row)
    await claim(store, "t1")
    async with store.writing() as unit:
        assert await unit.outbox.mark_sent([row.id], token="t1", now=NOW) == 1

    async with store.writing() as unit:
        assert await unit.outbox.mark_sent([row.id], token="t1", now=NOW) == 0
        assert await unit.outbox.mark_failed([row.id], token="t1", next_attempt_at=NOW, error="unknown") == 0
        assert await unit.outbox.backlog("publisher") == (0, None)
    assert await claim(store, "t2", now=later(86400)) == []


async def test_a_failed_row_waits_for_its_next_attempt_and_says_why(store: Store) -> None:
    row = outbox_row()
    await given(store, row)
    await claim(store, "t1")
    async with store.writing() as unit:
        failed = await unit.outbox.mark_failed([row.id], token="t1", next_attempt_at=later(30), error="unroutable")
    assert failed == 1

    assert await claim(store, "t2", now=later(29)) == []
    assert await claim(store, "t3", now=later(30)) == [replace(row, attempts=1, last_error="unroutable")]


async def test_rows_that_wait_do_not_hold_up_those_behind_them(store: Store) -> None:
    waiting, due = outbox_row(lane="urgent"), outbox_row()
    await given(store, waiting)
    await claim(store, "t1")
    async with store.writing() as unit:
        await unit.outbox.mark_failed([waiting.id], token="t1", next_attempt_at=later(300), error="refused")
    await given(store, due)

    assert await claim(store, "t2", now=later(1)) == [due]


async def test_times_too_far_ahead_were_written_by_a_wrong_clock_and_count_as_due(store: Store) -> None:
    failed, leased = outbox_row(), outbox_row()
    await given(store, failed, leased)
    await claim(store, "t1", now=later(86400))
    async with store.writing() as unit:
        await unit.outbox.mark_failed([failed.id], token="t1", next_attempt_at=later(86400), error="unknown")

    claimed = await claim(store, "t2", now=NOW)

    assert [row.id for row in claimed] == [failed.id, leased.id]


async def test_the_backlog_counts_what_waits_and_names_the_oldest(store: Store) -> None:
    rows = [outbox_row(created_at=later(seconds)) for seconds in (20, 10, 30)]
    await given(store, *rows, outbox_row(relay="subscriber", created_at=NOW))
    (taken,) = await claim(store, "t1", limit=1)
    async with store.writing() as unit:
        await unit.outbox.mark_sent([taken.id], token="t1", now=later(40))

    async with store.reading() as unit:
        assert await unit.outbox.backlog("publisher") == (2, later(10))
        assert await unit.outbox.backlog("subscriber") == (1, NOW)


async def test_the_same_bytes_to_several_countries_are_several_rows(store: Store) -> None:
    rows = [outbox_row(country=country, wire_bytes=b"the same signed bytes") for country in ("at", "hu", "de")]
    await given(store, *rows)

    assert await claim(store, "t1") == rows


async def test_marking_nothing_is_allowed(store: Store) -> None:
    async with store.writing() as unit:
        await unit.outbox.add([])
        assert await unit.outbox.mark_sent([], token="t1", now=NOW) == 0
        assert await unit.outbox.mark_failed([], token="t1", next_attempt_at=NOW, error="unknown") == 0


async def test_one_lane_can_be_claimed_alone(store: Store) -> None:
    urgent, normal = outbox_row(lane="urgent"), outbox_row()
    await given(store, normal, urgent)

    async with store.writing() as unit:
        claimed = await unit.outbox.claim("publisher", token="t1", now=NOW, lease_seconds=60, limit=9, lane="normal")

    assert claimed == [normal]
    assert await claim(store, "t2") == [urgent]


async def test_a_lease_that_is_renewed_runs_on_and_nobody_elses_can_be(store: Store) -> None:
    row = outbox_row()
    await given(store, row)
    await claim(store, "t1")

    async with store.writing() as unit:
        assert await unit.outbox.renew([row.id], token="t2", now=later(900), lease_seconds=60) == 0
        assert await unit.outbox.renew([row.id], token="t1", now=later(50), lease_seconds=60) == 1

    assert await claim(store, "t3", now=later(109)) == []
    assert await claim(store, "t4", now=later(110)) == [row]


async def test_what_is_released_is_as_it_was_and_due_at_once(store: Store) -> None:
    rows = [outbox_row(), outbox_row()]
    await given(store, *rows)
    await claim(store, "t1")

    async with store.writing() as unit:
        assert await unit.outbox.release([row.id for row in rows], token="t2") == 0
        assert await unit.outbox.release([rows[0].id], token="t1") == 1

    assert await claim(store, "t3") == [rows[0]]


async def test_what_failed_before_takes_half_of_a_claim_where_something_else_is_due_and_all_where_not(
    store: Store,
) -> None:
    failed, fresh = [outbox_row() for _ in range(8)], [outbox_row() for _ in range(3)]
    await given(store, *failed)
    await claim(store, "t1")
    async with store.writing() as unit:
        for row in failed:
            await unit.outbox.mark_failed([row.id], token="t1", next_attempt_at=later(30), error="refused")
    await given(store, *fresh)

    first = await claim(store, "t2", now=later(31), limit=4)
    second = await claim(store, "t3", now=later(31), limit=4)

    assert [row.id for row in first] == [row.id for row in (failed[0], failed[1], fresh[0], fresh[1])]
    assert [row.id for row in second] == [row.id for row in (*failed[2:5], fresh[2])]


async def test_a_lease_of_a_program_of_the_first_release_holds(store: SqlStore) -> None:
    row = outbox_row()
    await given(store, row)
    async with store._engine.begin() as connection:  # it leaves next_attempt_at alone
        await connection.execute(update(outbox).values(lease_token="theirs", lease_until=later(60)))

    assert await claim(store, "t1", now=later(59)) == []
    assert await claim(store, "t2", now=later(60)) == [row]


@pytest.mark.parametrize("lane", ["urgent", "normal"])
async def test_rows_in_back_off_cost_a_claim_nothing(store: SqlStore, lane: str) -> None:
    """How long a claim takes differs from machine to machine; that the database walks over nothing does not."""
    await given(store, *(outbox_row(lane=lane) for _ in range(2000)))
    await claim(store, "t1", limit=2000)
    analyse = "EXPLAIN QUERY PLAN" if store._engine.dialect.name == "sqlite" else "EXPLAIN (FORMAT TEXT)"
    async with store._engine.begin() as connection:
        await connection.execute(text("ANALYZE"))
        plans = []
        for arm in _arms("publisher", lane, NOW, 100):
            query = str(select(arm).compile(connection.engine, compile_kwargs={"literal_binds": True}))
            plans.append(" ".join(str(row) for row in await connection.execute(text(f"{analyse} {query}"))))

    for plan in plans:
        assert "ix_outbox_due" in plan
        assert "next_attempt_at" in plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


async def test_what_a_full_queue_refused_is_hastened_for_its_country_and_lane_and_no_more_than_so_many(
    store: Store,
) -> None:
    # given
    refused = [outbox_row(country="at", lane="normal") for _ in range(3)]
    others = [outbox_row(country="hu", lane="normal"), outbox_row(country="at", lane="urgent")]
    unroutable, leased = (outbox_row(country="at", lane="normal") for _ in range(2))
    await given(store, *refused, *others, unroutable, leased)
    await claim(store, "t1")
    async with store.writing() as unit:
        for seconds, row in enumerate([*refused, *others], 100):
            await unit.outbox.mark_failed([row.id], token="t1", next_attempt_at=later(seconds), error="refused")
        await unit.outbox.mark_failed([unroutable.id], token="t1", next_attempt_at=later(100), error="unroutable")

    # when
    async with store.writing() as unit:
        hastened = await unit.outbox.hasten("publisher", {("at", "normal")}, error="refused", now=NOW, limit=2)

    # then
    assert hastened == 2
    assert {row.id for row in await claim(store, "t2")} == {row.id for row in refused[:2]}
