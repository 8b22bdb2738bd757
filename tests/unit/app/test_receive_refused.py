"""What a contact point refuses or cannot judge yet: kept with bytes and code, answered when the sender is proven."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bridge_node import Node
from bridge_world import START, Sent, alert, bent, directory

from bridge.app.receiving.outcomes import Outcome
from bridge.ports.broker import Delivery

MINUTE = 60


async def test_one_id_for_two_payloads_keeps_the_first_and_quarantines_the_second(node: Node) -> None:
    first = alert()
    second = alert(id=first.id, urgency="expected")
    receiver = node.receiver("at.ncp")

    outcomes = await receiver.receive([first.delivery(to="at.ncp")])
    outcomes += await receiver.receive([second.delivery(to="at.ncp"), first.delivery(to="at.ncp")])

    assert outcomes == [Outcome.ACCEPTED, Outcome.QUARANTINED, Outcome.DUPLICATE]
    assert [item.payload_sha256 for item in await node.inbox()] == [first.made.payload_sha256]
    (refusal,) = await node.quarantined()
    assert (refusal.code, refusal.step, refusal.wire_bytes) == ("E_EQUIVOCATION", 13, second.made.wire_bytes)
    assert [receipt[:2] for receipt in await node.new_receipts()] == [
        ("delivered", None),
        ("rejected", "E_EQUIVOCATION"),
    ]


async def test_two_payloads_under_one_id_in_one_batch_are_told_apart_as_well(node: Node) -> None:
    first = alert()
    second = alert(id=first.id)

    outcomes = await node.receiver("at.ncp").receive([first.delivery(to="at.ncp"), second.delivery(to="at.ncp")])

    assert outcomes == [Outcome.ACCEPTED, Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_EQUIVOCATION"]


async def test_what_cannot_be_authenticated_is_quarantined_and_never_answered(node: Node) -> None:
    broken = bent(alert())

    outcomes = await node.receiver("at.ncp").receive([broken.delivery(to="at.ncp"), _junk(broken, b"{")])

    assert outcomes == [Outcome.QUARANTINED] * 2
    assert [refusal.code for refusal in await node.quarantined()] == ["E_JSON", "E_SIGNATURE"]
    assert {refusal.contact_point for refusal in await node.quarantined()} == {"at.ncp"}
    assert await node.new_receipts() == []
    assert await node.inbox() == []


async def test_a_refusal_after_the_sender_is_proven_is_answered_with_its_code(node: Node) -> None:
    misrouted = alert()

    await node.receiver("at.ncp").receive([misrouted.delivery(to="at.ncp", app_id="hu.ncp")])

    assert await node.new_receipts() == [("rejected", "E_ROUTE_MISMATCH", misrouted.id)]
    (entry,) = await node.audit("message.refused")
    assert entry.detail == {"code": "E_ROUTE_MISMATCH", "step": "9"}


async def test_a_repeated_refusal_is_answered_at_most_once_a_minute(node: Node) -> None:
    sent, receiver = alert(), node.receiver("at.ncp")
    for seconds, expected in ((0, 1), (59, 0), (1, 1)):
        node.clock.advance(seconds)
        await receiver.receive([sent.delivery(to="at.ncp", type="alert_update")] * 2)
        assert len(await node.new_receipts()) == expected


async def test_a_message_that_was_refused_first_is_delivered_when_a_good_copy_comes(node: Node) -> None:
    sent, receiver = alert(), node.receiver("at.ncp")
    await receiver.receive([sent.delivery(to="at.ncp", type="alert_update")])

    assert await receiver.receive([sent.delivery(to="at.ncp")]) == [Outcome.ACCEPTED]

    assert [state for state, *_ in await node.new_receipts()] == ["rejected", "delivered"]
    assert [item.id for item in await node.inbox()] == [sent.id]


async def test_a_bad_copy_of_what_was_delivered_takes_nothing_back(node: Node) -> None:
    sent, receiver = alert(), node.receiver("at.ncp")
    await receiver.receive([sent.delivery(to="at.ncp")])
    await node.new_receipts()

    for seconds in (1, 1, MINUTE):
        node.clock.advance(seconds)
        outcomes = await receiver.receive([sent.delivery(to="at.ncp", type="alert_update"), sent.delivery(to="at.ncp")])
        assert outcomes == [Outcome.QUARANTINED, Outcome.DUPLICATE]

    assert [state for state, *_ in await node.new_receipts()] == ["delivered"]
    assert len(await node.inbox()) == 1


async def test_held_codes_are_held_and_neither_answered_nor_logged_as_refused(node: Node) -> None:
    future = alert(at=START + timedelta(hours=1))
    node.trust.directory = directory(without=["hu.ncp"])
    unknown = alert(sender="hu.ncp")

    outcomes = await node.receiver("at.ncp").receive([future.delivery(to="at.ncp"), unknown.delivery(to="at.ncp")])

    assert outcomes == [Outcome.HELD] * 2
    assert await node.held() == 2
    assert await node.quarantined() == []
    assert await node.audit("message.refused") == []
    assert await node.new_receipts() == []


async def test_nothing_is_judged_by_a_list_that_is_too_old(node: Node) -> None:
    node.clock.advance(timedelta(days=45).total_seconds())
    sent = alert(at=node.clock.now())

    assert await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")]) == [Outcome.HELD]
    assert await node.inbox() == []


async def test_an_expired_message_leaves_a_stub_that_says_who_sent_it(node: Node) -> None:
    sent = alert(expires=START + timedelta(hours=1))
    node.clock.advance(3601)

    assert await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")] * 2) == [Outcome.QUARANTINED] * 2

    (stub,) = await node.inbox()
    assert (stub.id, stub.sender, stub.state, stub.body, stub.acknowledge_by) == (
        sent.id,
        "rs.ncp",
        "expired",
        None,
        None,
    )
    assert [receipt[:2] for receipt in await node.new_receipts()] == [("rejected", "E_EXPIRED")]


async def test_a_delivered_message_that_comes_again_after_its_expiry_leaves_no_stub_and_stays_delivered(
    node: Node,
) -> None:
    sent, receiver = alert(expires=START + timedelta(hours=1)), node.receiver("at.ncp")
    await receiver.receive([sent.delivery(to="at.ncp")])
    await node.new_receipts()
    node.clock.advance(3601)

    assert await receiver.receive([sent.delivery(to="at.ncp")]) == [Outcome.QUARANTINED]

    assert [item.state for item in await node.inbox()] == ["new"]
    assert [state for state, *_ in await node.new_receipts()] == ["delivered"]


async def test_a_body_that_breaks_the_rules_is_rejected_with_the_code(node: Node) -> None:
    sent = alert(body={"title": "Only a title"})

    assert await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")]) == [Outcome.QUARANTINED]

    assert [receipt[:2] for receipt in await node.new_receipts()] == [("rejected", "E_BODY_SCHEMA")]


async def test_an_id_whose_time_no_calendar_has_is_refused_like_any_other(node: Node) -> None:
    sent = alert(id="ffffffff-ffff-7fff-bfff-ffffffffffff")

    assert await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")]) == [Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_ID"]


def _junk(sent: Sent, wire_bytes: bytes) -> Delivery:
    return replace(sent.delivery(to="at.ncp"), wire_bytes=wire_bytes)
