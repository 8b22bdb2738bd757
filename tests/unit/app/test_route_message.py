"""The router: verifies without opening, hands on to the contact points concerned, answers nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from bridge_node import Node
from bridge_world import START, alert, bent, control, directory, receipt_for

from bridge.app.receiving.outcomes import Outcome
from bridge.core.errors import UnavailableError
from bridge.ports.broker import PublishOutcome


async def test_a_message_goes_to_each_of_the_countrys_contact_points_with_its_exact_bytes(node: Node) -> None:
    sent = alert(to=["at.ncp", "at.border-police", "hu.ncp"])

    assert await node.router("at").route([sent.delivery()]) == [Outcome.ACCEPTED]

    published = node.publisher.published
    assert [(one.exchange, one.routing_key) for one in published] == [
        ("contact-points.at", "at.border-police.urgent"),
        ("contact-points.at", "at.ncp.urgent"),
    ]
    assert {one.wire_bytes for one in published} == {sent.made.wire_bytes}
    assert len({one.row_id for one in published}) == 2
    assert await node.new_rows("subscriber") == []


async def test_control_messages_are_handed_on_as_well(node: Node) -> None:
    lane = {"first": 1, "last": 5}
    sent = control("heartbeat", {"epoch": 1, "urgent": lane, "normal": lane}, sender="rs.ncp", to="at.ncp")

    assert await node.router("at").route([sent.delivery()]) == [Outcome.ACCEPTED]
    assert [one.routing_key for one in node.publisher.published] == ["at.ncp.urgent"]


@pytest.mark.parametrize("outcome", [PublishOutcome.UNROUTABLE, PublishOutcome.REFUSED, PublishOutcome.UNKNOWN])
async def test_what_an_inbox_does_not_take_waits_here_and_is_relayed_later(node: Node, outcome: PublishOutcome) -> None:
    sent = alert(to=["at.ncp", "at.border-police"])
    node.publisher.outcomes["at.ncp.urgent"] = outcome

    assert await node.router("at").route([sent.delivery()]) == [Outcome.ACCEPTED]

    del node.publisher.outcomes["at.ncp.urgent"]
    tried = node.publisher.published[-1]
    assert await node.relay("subscriber").relay_once() == 1
    again = node.publisher.published[-1]
    assert again == tried
    assert (again.routing_key, again.wire_bytes) == ("at.ncp.urgent", sent.made.wire_bytes)


async def test_a_broker_that_is_away_leaves_the_batch_to_be_delivered_again(node: Node) -> None:
    node.publisher.is_away = True

    with pytest.raises(UnavailableError):
        await node.router("at").route([alert().delivery(), bent(alert()).delivery()])

    assert await node.quarantined() == []


async def test_what_does_not_verify_is_quarantined_held_or_handed_on_each_for_itself(node: Node) -> None:
    node.trust.directory = directory(without=["hu.ncp"])
    batch = [
        bent(alert()).delivery(),
        alert(sender="hu.ncp").delivery(),
        alert().delivery(),
        alert().delivery(routing_key="hu.at.urgent.route_alert"),
    ]

    outcomes = await node.router("at").route(batch)

    assert [outcome.value for outcome in outcomes] == ["quarantined", "held", "accepted", "quarantined"]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_ROUTE_MISMATCH", "E_SIGNATURE"]
    assert {refusal.contact_point for refusal in await node.quarantined()} == {None}
    assert await node.held() == 1
    assert len(node.publisher.published) == 1
    assert await node.new_rows() == []


async def test_a_newer_list_is_asked_for_once_when_a_key_is_unknown(node: Node) -> None:
    node.trust.directory = directory(without=["hu.ncp"])
    node.trust.newer = directory(version=8)

    assert await node.router("at").route([alert(sender="hu.ncp").delivery()]) == [Outcome.ACCEPTED]


async def test_contact_points_that_the_list_does_not_know_are_quarantined_and_the_others_served(node: Node) -> None:
    sent = alert(to=["at.ncp", "at.border-police"])
    points = {own: point for own, point in directory().contact_points.items() if own != "at.border-police"}
    node.trust.directory = replace(directory(), contact_points=MappingProxyType(points))

    assert await node.router("at").route([sent.delivery()]) == [Outcome.ACCEPTED]

    assert [one.routing_key for one in node.publisher.published] == ["at.ncp.urgent"]
    (refusal,) = await node.quarantined()
    assert (refusal.code, refusal.wire_bytes, refusal.at) == ("E_NOT_AUTHORISED", sent.made.wire_bytes, START)
    assert "at.border-police" in refusal.detail


async def test_a_message_that_has_only_expired_goes_on_so_that_its_recipient_can_answer(node: Node) -> None:
    # given an alert that expires on the way, and one that has expired and is wrong besides
    late = alert(expires=START + timedelta(hours=1))
    forged = bent(alert(expires=START + timedelta(hours=1)))
    node.clock.advance(3601)

    # when the router meets both
    outcomes = await node.router("at").route([late.delivery(), forged.delivery()])

    # then the first goes on, the second stays here
    assert outcomes == [Outcome.ACCEPTED, Outcome.QUARANTINED]
    assert [one.wire_bytes for one in node.publisher.published] == [late.made.wire_bytes]
    assert len(await node.quarantined()) == 1


async def test_what_a_contact_point_owes_an_answer_for_goes_on_and_what_it_does_not_stays(node: Node) -> None:
    # given refusals at steps 11 and 12, one at step 9, and a control message that has expired
    too_long = alert(expires=START + timedelta(days=31))
    not_allowed = alert(status="system")
    expired = alert(expires=START + timedelta(days=7))
    misrouted = alert(expires=START + timedelta(days=31))
    receipt = receipt_for(alert(sender="at.ncp", to=["rs.ncp"]), by="rs.ncp")
    node.clock.advance(8 * 86400)

    # when the router meets them
    owed = [too_long, not_allowed, expired]
    batch = [one.delivery() for one in (*owed, receipt)]
    outcomes = await node.router("at").route([*batch, misrouted.delivery(app_id="hu.ncp")])

    # then it hands on what is sealed and addressed to us for certain
    assert outcomes == [Outcome.ACCEPTED] * 3 + [Outcome.QUARANTINED] * 2
    assert [one.wire_bytes for one in node.publisher.published] == [one.made.wire_bytes for one in owed]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_ROUTE_MISMATCH", "E_EXPIRED"]

    # and the contact point answers each with its code
    await node.receiver("at.ncp").receive([one.delivery(to="at.ncp") for one in owed])
    codes = [code for _, code, _ in await node.new_receipts()]
    assert codes == ["E_LIFETIME", "E_NOT_AUTHORISED", "E_EXPIRED"]


@pytest.mark.parametrize("kind", ["heartbeat", "resend_request"])
async def test_what_only_told_the_time_and_is_overdue_goes_nowhere(node: Node, kind: str) -> None:
    # given a heartbeat, or a request, that has expired
    lane = {"first": 1, "last": 5}
    said = {"epoch": 1, "urgent": lane, "normal": lane}
    asked = {"epoch": 1, "lane": "urgent", "numbers": [1]}
    overdue = control(kind, said if kind == "heartbeat" else asked, sender="rs.ncp", to="at.ncp")
    node.clock.advance(8 * 86400)

    # when router and contact point meet it
    routed = await node.router("at").route([overdue.delivery()])
    received = await node.receiver("at.ncp").receive([overdue.delivery(to="at.ncp")])

    # then weeks of them leave nothing behind
    assert routed == received == [Outcome.ACCEPTED]
    assert await node.quarantined() == node.publisher.published == await node.new_rows() == []


async def test_a_refusal_for_contact_points_that_nobody_knows_stays_under_its_code(node: Node) -> None:
    # given an expired alert to a contact point that the list no longer has
    sent = alert(to=["at.border-police"], expires=START + timedelta(hours=1))
    points = {own: point for own, point in directory().contact_points.items() if own != "at.border-police"}
    node.trust.directory = replace(directory(), contact_points=MappingProxyType(points))
    node.clock.advance(3601)

    # when
    outcomes = await node.router("at").route([sent.delivery()])

    # then
    assert outcomes == [Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_NOT_AUTHORISED"]
    assert node.publisher.published == []
