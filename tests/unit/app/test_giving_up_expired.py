"""What is past its expiry is not published any more, and everybody can see that: ledger, log and status."""

from __future__ import annotations

import pytest
from bridge_node import Node
from bridge_world import START, Sent, StillClock, alert, control, receipt_for

from bridge.app.checks.check_node import check_queues
from bridge.app.receiving.answering import outbox_row
from bridge.ports.broker import PublishOutcome

DAY = 86400
LIFETIME = 7 * DAY
ROUTER_GRACE = 30 * DAY


async def given_row(node: Node, sent: Sent) -> str:
    """One row to Austria, as submitting leaves it; answers its routing key."""
    await node.given_sent(sent)
    row = outbox_row(sent.addressing, sent.made.wire_bytes, country="at", lane="urgent", ids=node.ids)
    async with node.store.writing() as unit:
        await unit.outbox.add([row])
    return row.routing_key


async def is_green(node: Node) -> bool:
    return all(check.ok for check in await check_queues(node.store, now=node.clock.now()))


@pytest.mark.parametrize(("seconds", "published"), [(LIFETIME - 1, 1), (LIFETIME, 0)])
async def test_a_message_is_published_until_the_moment_it_expires(
    node: Node, clock: StillClock, seconds: int, published: int
) -> None:
    await given_row(node, alert())
    clock.advance(seconds)

    assert await node.relay().relay_once() == 1  # settled, one way or the other

    assert len(node.publisher.published) == published


async def test_what_no_broker_took_in_time_is_expired_in_the_ledger_and_status_is_green_again(
    node: Node, clock: StillClock
) -> None:
    sent = alert()
    node.publisher.outcomes[await given_row(node, sent)] = PublishOutcome.UNROUTABLE
    await node.relay().relay_once()
    clock.advance(LIFETIME)
    assert not await is_green(node)

    await node.relay().relay_once()

    assert len(node.publisher.published) == 1
    (to,) = (await node.sent(sent.id)).recipients
    assert (to.state, to.code, to.sent_at) == ("expired", "E_EXPIRED", None)
    (entry,) = await node.audit("message.expired")
    assert (entry.subject, entry.detail) == (sent.id, {"to": "at", "kind": "route_alert"})
    assert await is_green(node)


async def test_a_receipt_that_comes_all_the_same_is_believed(node: Node, clock: StillClock) -> None:
    sent = alert()
    node.publisher.outcomes[await given_row(node, sent)] = PublishOutcome.UNKNOWN  # it did arrive
    await node.relay().relay_once()
    receipt = receipt_for(sent).delivery(to="rs.ncp")
    clock.advance(LIFETIME)
    await node.relay().relay_once()
    clock.advance(-DAY)  # the receipt was on its way

    await node.receiver("rs.ncp").receive([receipt])

    (to,) = (await node.sent(sent.id)).recipients
    assert to.state == "delivered"


@pytest.mark.parametrize(("seconds", "published"), [(LIFETIME, 1), (LIFETIME + ROUTER_GRACE, 0)])
async def test_what_expired_on_its_way_still_goes_to_its_inbox_for_a_month_and_leaves_a_stub_there(
    node: Node, clock: StillClock, seconds: int, published: int
) -> None:
    sent = alert()
    node.publisher.outcomes["at.ncp.urgent"] = PublishOutcome.UNROUTABLE
    await node.router("at").route([sent.delivery()])
    node.publisher.published.clear()
    node.publisher.outcomes.clear()
    clock.advance(seconds)

    await node.relay("subscriber").relay_once()

    assert len(node.publisher.published) == published
    assert await is_green(node)


async def test_an_expired_heartbeat_is_given_up_by_the_router_at_once(node: Node, clock: StillClock) -> None:
    # given: the inbox it was for is gone
    nothing = {"first": 1, "last": 0}
    beat = control(
        "heartbeat", {"epoch": 1, "urgent": nothing, "normal": nothing}, sender="rs.ncp", to="at.ncp", at=START
    )
    node.publisher.outcomes["at.ncp.urgent"] = PublishOutcome.UNROUTABLE
    await node.router("at").route([beat.delivery()])
    async with node.store.reading() as unit:
        assert (await unit.outbox.backlog("subscriber"))[0] == 1
    node.publisher.published.clear()

    # when
    clock.advance((beat.addressing.expires - START).total_seconds())
    await node.relay("subscriber").relay_once()

    # then
    assert node.publisher.published == []
    async with node.store.reading() as unit:
        assert (await unit.outbox.backlog("subscriber"))[0] == 0
