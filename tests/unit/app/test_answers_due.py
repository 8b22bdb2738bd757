"""Deadlines of answers: a reminder before, an alarm after, once each, on both sides, until somebody acknowledges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from bridge_node import Node
from bridge_world import START, alert, cancel_body, receipt_for, update_body

from bridge.adapters.system.clock_watch import ClockWatch
from bridge.app.checks.check_answers import check_answers
from bridge.app.desk.deadlines import WatchDeadlines, remind_at
from bridge.console.language import words_of
from bridge.core.errors import UnavailableError
from bridge.ports.clock import Clock
from bridge.ports.store.deadlines import OwedAnswer

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
AUSTRIA = ("at.ncp",)


def owed(within: timedelta) -> OwedAnswer:
    return OwedAnswer(
        "at.ncp", "rs.ncp", "some", "route_alert", "actual", "immediate", START, START + within, None, None
    )


async def said(
    node: Node, *at_minutes: float, points: Sequence[str] = AUSTRIA, clock: Clock | None = None
) -> list[str]:
    """What was said by the time of each of these minutes, in order, from two processes that look at once."""
    watching = [WatchDeadlines(points, node.store, clock or node.clock) for _ in range(2)]
    for minutes in at_minutes:
        node.clock.time = START + minutes * MINUTE
        for one in watching:
            await one.watch()
    entries = await node.audit("answer.due") + await node.audit("answer.overdue")
    return [f"{(one.at - START) // MINUTE} {one.action} {one.detail['peer']}" for one in entries]


@pytest.mark.parametrize(
    ("within", "before"),
    [(HOUR, 20 * MINUTE), (12 * HOUR, 3 * HOUR), (24 * HOUR, 6 * HOUR), (30 * MINUTE, 15 * MINUTE)],
)
def test_when_the_reminder_comes(within: timedelta, before: timedelta) -> None:
    assert remind_at(owed(within)) == START + within - before


async def test_one_reminder_and_one_alarm_however_often_and_by_whom_it_is_looked(node: Node) -> None:
    await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])

    assert await said(node, 0, 39, 40, 41, 59, 60, 61, 300) == ["40 answer.due rs.ncp", "60 answer.overdue rs.ncp"]


async def test_nobody_is_reminded_of_what_is_overdue_already(node: Node) -> None:
    await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])

    assert await said(node, 90, 100) == ["90 answer.overdue rs.ncp"]


async def test_an_acknowledgement_ends_it_for_good(node: Node) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    await said(node, 45)
    async with node.store.writing() as unit:
        await unit.inbox.set_state("at.ncp", sent.id, "acknowledged")

    assert await said(node, 61, 600) == ["45 answer.due rs.ncp"]


@pytest.mark.parametrize("kind", ["alert_update", "alert_cancel"])
async def test_what_was_replaced_or_cancelled_is_due_no_more(node: Node, kind: str) -> None:
    first = alert()
    body = update_body(first) if kind == "alert_update" else cancel_body(first)
    second = alert(kind=kind, body=body, thread=first.id)
    await node.receiver("at.ncp").receive([first.delivery(to="at.ncp"), second.delivery(to="at.ncp")])
    (_, newer) = await node.inbox()
    async with node.store.writing() as unit:
        await unit.inbox.set_state("at.ncp", newer.id, "acknowledged")

    assert await said(node, 45, 61, 25 * 60) == []


async def test_senders_are_told_who_has_not_acknowledged(node: Node) -> None:
    sent, of_an_older_program = alert(), alert()
    await node.given_sent(sent, reply_within_s=3600)
    await node.given_sent(of_an_older_program)
    await said(node, 300, points=["rs.ncp"])  # not delivered yet: nobody there has had time to answer
    arrived = [receipt_for(one).delivery(to="rs.ncp") for one in (sent, of_an_older_program)]
    await node.receiver("rs.ncp").receive(arrived)

    assert await said(node, 345, 361, 362, points=["rs.ncp"]) == ["345 answer.due at.ncp", "361 answer.overdue at.ncp"]
    check = await check_answers(node.store, contact_points=["rs.ncp"], now=START + 361 * MINUTE)
    assert f"at.ncp has not acknowledged immediate route_alert {sent.id}, 60 s overdue, from rs.ncp" in check.detail


async def test_a_clock_that_was_set_says_nothing_until_it_is_right_and_nothing_twice(node: Node) -> None:
    await node.receiver("at.ncp").receive([alert().delivery(to="at.ncp")])
    boot = 0.0
    clock = ClockWatch(node.clock, since_boot=lambda: boot)

    with pytest.raises(UnavailableError, match="set ahead"):
        await said(node, 61, clock=clock)
    assert await said(node, 0, clock=clock) == []

    boot = 61 * 60.0
    assert await said(node, 61, clock=clock) == ["61 answer.overdue rs.ncp"]
    with pytest.raises(UnavailableError, match="set back"):
        await said(node, 10, clock=clock)
    assert await said(node, 61, 62, clock=clock) == ["61 answer.overdue rs.ncp"]


async def test_status_names_what_is_overdue(node: Node) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    before = await check_answers(node.store, contact_points=AUSTRIA, now=START + 45 * MINUTE)
    after = await check_answers(node.store, contact_points=AUSTRIA, now=START + 3 * HOUR)

    assert (before.ok, before.detail) == (
        True,
        "1 wait for an answer here, 0 elsewhere, 1 of them due soon; none is overdue",
    )
    assert (after.ok, after.state) == (False, "answer_overdue")
    assert f"at.ncp has not acknowledged immediate route_alert {sent.id}, 2 h overdue, from rs.ncp" in after.detail


def test_a_deadline_across_a_change_to_winter_time_is_the_same_moment() -> None:
    received = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Vienna, half an hour before the clocks go back
    answer = replace(owed(HOUR), since=received, due_at=received + HOUR)
    words = words_of("en", "Europe/Vienna")

    assert words.moment(answer.due_at) == "25 Oct 2026, 01:30 UTC (02:30 UTC+0100 local)"
    assert words.left(answer.due_at - received) == "1 h 0 min left"
