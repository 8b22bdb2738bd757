"""One (sender, id) means one payload for ever: nothing replaces what is known of it; answers come at a bounded pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, alert, control, signed_as

from bridge.app.receiving.outcomes import Outcome
from bridge.core.wire.envelope import TYP_CONTROL, TYP_SEALED


@pytest.mark.parametrize("at_once", [True, False])
async def test_another_payload_under_the_control_header_opens_no_way_for_itself(node: Node, *, at_once: bool) -> None:
    # given a delivered alert, and another payload under its id, first signed as if it were a control message
    first = alert()
    second = alert(id=first.id, urgency="expected")
    ghost = signed_as(second, TYP_CONTROL)
    batch = [one.delivery(to="at.ncp") for one in (first, ghost, second)]

    # when they arrive
    receiver = node.receiver("at.ncp")
    outcomes = [
        outcome
        for part in ([batch] if at_once else [[one] for one in batch])
        for outcome in await receiver.receive(part)
    ]

    # then the first is the one that was delivered, and the ghost is not answered at all
    assert outcomes == [Outcome.ACCEPTED, Outcome.QUARANTINED, Outcome.QUARANTINED]
    assert [item.payload_sha256 for item in await node.inbox()] == [first.made.payload_sha256]
    assert {refusal.code for refusal in await node.quarantined()} == {"E_ROUTE_MISMATCH", "E_EQUIVOCATION"}
    assert [receipt[:2] for receipt in await node.new_receipts()] == [
        ("delivered", None),
        ("rejected", "E_EQUIVOCATION"),
    ]
    assert await receiver.receive([first.delivery(to="at.ncp")]) == [Outcome.DUPLICATE]


async def test_a_ghost_that_comes_first_leaves_nothing_behind(node: Node) -> None:
    # given the payload of an alert, signed as a control message
    sent = alert()
    receiver = node.receiver("at.ncp")

    # when it arrives before the alert itself
    outcomes = await receiver.receive([signed_as(sent, TYP_CONTROL).delivery(to="at.ncp"), sent.delivery(to="at.ncp")])

    # then the alert is new
    assert outcomes == [Outcome.QUARANTINED, Outcome.ACCEPTED]
    assert await node.new_receipts() == [("delivered", None, sent.id)]


async def test_a_control_kind_under_the_header_of_sealed_messages_is_not_answered_either(node: Node) -> None:
    # given
    lane = {"first": 1, "last": 5}
    beat = control("heartbeat", {"epoch": 1, "urgent": lane, "normal": lane}, sender="rs.ncp", to="at.ncp")
    odd = replace(beat, made=replace(beat.made, wire_bytes=_with_sealed(signed_as(beat, TYP_SEALED).made.wire_bytes)))

    # when
    outcomes = await node.receiver("at.ncp").receive([odd.delivery(to="at.ncp")])

    # then
    assert outcomes == [Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_ROUTE_MISMATCH"]
    assert await node.new_rows() == []


async def test_what_collides_is_answered_at_most_once_a_minute_and_silences_nothing_else(node: Node) -> None:
    # given an alert that was delivered and answered
    first = alert()
    second = alert(id=first.id)
    receiver = node.receiver("at.ncp")
    await receiver.receive([first.delivery(to="at.ncp")])
    await node.new_receipts()

    # when another payload under its id comes again and again, then each minute one answer
    for seconds, expected in ((0, 1), (30, 0), (29, 0), (1, 1)):
        node.clock.advance(seconds)
        await receiver.receive([second.delivery(to="at.ncp")] * 3)
        codes = [code for _, code, _ in await node.new_receipts()]
        assert codes == ["E_EQUIVOCATION"] * expected

    # and the good one is answered again as ever
    await receiver.receive([first.delivery(to="at.ncp")])
    assert [state for state, *_ in await node.new_receipts()] == ["delivered"]


async def test_an_expired_payload_under_a_known_id_leaves_no_stub_and_changes_nothing(node: Node) -> None:
    # given an alert that was refused for its properties, and another payload under its id that has expired
    first = alert()
    second = alert(id=first.id, expires=START + timedelta(seconds=1))
    receiver = node.receiver("at.ncp")
    await receiver.receive([first.delivery(to="at.ncp", type="alert_update")])
    node.clock.advance(2)

    # when the other arrives, and then a good copy of the first
    outcomes = await receiver.receive([second.delivery(to="at.ncp"), first.delivery(to="at.ncp")])

    # then the first is delivered, and the only item
    assert outcomes == [Outcome.QUARANTINED, Outcome.ACCEPTED]
    assert [(item.state, item.payload_sha256) for item in await node.inbox()] == [("new", first.made.payload_sha256)]


def _with_sealed(wire_bytes: bytes) -> bytes:
    return wire_bytes[:-1] + b',"sealed":"x"}'
