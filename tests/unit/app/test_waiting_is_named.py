"""`status` names where messages wait, and who has not got what was sent."""

from __future__ import annotations

import pytest
from bridge_node import Node
from bridge_world import StillClock, alert

from bridge.app.checks.check_destinations import MOST_NAMED, check_destinations
from bridge.app.checks.check_node import Check
from bridge.app.checks.check_undelivered import check_undelivered
from bridge.app.receiving.answering import outbox_row
from bridge.ports.broker import PublishOutcome

MINUTE, DAY = 60, 86_400


async def given_waiting(node: Node, *countries: str) -> None:
    sent = alert()
    rows = [
        outbox_row(sent.addressing, sent.made.wire_bytes, country=country, lane="urgent", ids=node.ids)
        for country in countries
    ]
    async with node.store.writing() as unit:
        await unit.outbox.add(rows)


async def destinations(node: Node) -> Check:
    return await check_destinations(node.store, now=node.clock.now())


async def undelivered(node: Node) -> Check:
    return await check_undelivered(node.store, now=node.clock.now())


async def test_nothing_waits(node: Node) -> None:
    found = await destinations(node)

    assert found == Check("destinations", ok=True, detail="nothing waits")


@pytest.mark.parametrize(
    ("outcome", "words", "ok_at_once"),
    [
        (PublishOutcome.REFUSED, "the queue is full", True),
        (PublishOutcome.UNROUTABLE, "no such queue: unroutable", False),
        (PublishOutcome.UNKNOWN, "the broker does not answer", True),
    ],
)
async def test_a_destination_is_named_with_what_stands_in_the_way(
    node: Node, clock: StillClock, outcome: PublishOutcome, words: str, *, ok_at_once: bool
) -> None:
    await given_waiting(node, "at", "at", "hu")
    node.publisher.outcomes["rs.at.urgent.route_alert"] = outcome

    await node.relay().relay_once()

    at_once = await destinations(node)
    assert at_once.detail.startswith("at: 2 urgent waiting, the oldest for 0 s (")
    assert words in at_once.detail
    assert "hu" not in at_once.detail
    assert at_once.ok is ok_at_once
    clock.advance(10 * MINUTE)
    after = await destinations(node)
    assert "the oldest for 10 min" in after.detail
    assert not after.ok


async def test_a_full_inbox_of_our_own_is_named_by_its_contact_point(node: Node) -> None:
    node.publisher.outcomes["at.ncp.urgent"] = PublishOutcome.REFUSED
    await node.router("at").route([alert().delivery(to="at")])

    assert (await destinations(node)).detail.startswith("at.ncp: 1 urgent waiting")


async def test_the_list_of_destinations_is_bounded(node: Node) -> None:
    await given_waiting(node, *(f"{first}{second}" for first in "abcde" for second in "vwxyz"))

    detail = (await destinations(node)).detail

    assert detail.count("waiting") == MOST_NAMED
    assert detail.endswith("and 5 more destinations")


async def test_a_recipient_without_a_receipt_is_named_an_hour_after_sending(node: Node, clock: StillClock) -> None:
    sent = alert()
    await node.given_sent(sent)
    async with node.store.writing() as unit:
        await unit.ledger.mark_sent([(sent.id, "at")], clock.now())
    clock.advance(60 * MINUTE - 1)
    assert (await undelivered(node)).ok

    clock.advance(1)
    found = await undelivered(node)

    assert not found.ok
    assert found.detail.startswith("at.ncp: 1 not confirmed. ")
    assert f"immediate route_alert {sent.id} of " in found.detail


async def test_what_expired_before_it_left_is_named_until_a_week_later(node: Node, clock: StillClock) -> None:
    sent = alert()
    await node.given_sent(sent)
    async with node.store.writing() as unit:
        await unit.ledger.mark_expired([(sent.id, "at")])
    lifetime = (sent.addressing.expires - clock.now()).total_seconds()

    clock.advance(lifetime + 7 * DAY - 1)
    named = await undelivered(node)
    clock.advance(1)
    over = await undelivered(node)

    assert not named.ok
    assert named.detail.startswith("at.ncp: 1 given up before it was sent. ")
    assert over.ok
