"""Receiving at a contact point: what is accepted is stored, answered and numbered in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, Sent, acknowledgement_body, alert, bent, cancel_body, directory, update_body

from bridge.app.outcomes import Outcome
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Delivery

MINUTE = 60


async def test_an_accepted_message_is_in_the_inbox_with_its_exact_bytes_and_a_body_only_the_desk_opens(
    node: Node,
) -> None:
    sent = alert(to=["at.ncp", "hu.ncp"])

    assert await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")]) == [Outcome.ACCEPTED]

    async with node.store.reading() as unit:
        (item,) = await unit.inbox.get(sent.id)
    assert (item.contact_point, item.sender, item.kind, item.state) == ("at.ncp", "rs.ncp", "route_alert", "new")
    assert item.wire_bytes == sent.made.wire_bytes
    assert (item.payload_sha256, item.sealed_sha256) == (sent.made.payload_sha256, sent.made.sealed_sha256)
    assert item.acknowledge_by == START + timedelta(hours=1)
    assert node.vault.get("at.ncp", item.body, context=f"at.ncp/{sent.id}") == sent.made.plaintext_bytes
    assert await node.new_receipts() == [("delivered", None, sent.id)]
    with pytest.raises(UnavailableError):
        node.vault.get("hu.ncp", item.body, context=f"at.ncp/{sent.id}")


@pytest.mark.parametrize(("urgency", "lane"), [("immediate", "urgent"), ("expected", "normal")])
async def test_its_receipt_waits_in_the_outbox_in_the_lane_of_what_it_answers(
    node: Node, urgency: str, lane: str
) -> None:
    sent = alert(urgency=urgency)

    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    (row,) = await node.new_rows()
    assert (row.kind, row.sender, row.created_at) == ("receipt", "at.ncp", START)
    assert (row.lane, row.routing_key, row.exchange) == (lane, f"at.rs.{lane}.receipt", "from.at")


async def test_receiving_is_logged_with_sender_and_kind(node: Node) -> None:
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    async with node.store.reading() as unit:
        (entry,) = await unit.audit.list(subject=sent.id)
    assert (entry.action, entry.contact_point, entry.at) == ("message.received", "at.ncp", START)
    assert entry.detail == {"from": "rs.ncp", "kind": "route_alert"}


async def test_one_message_twice_in_one_batch_is_stored_and_answered_once(node: Node) -> None:
    sent = alert()

    outcomes = await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")] * 3)

    assert outcomes == [Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.DUPLICATE]
    assert len(await node.inbox()) == 1
    assert len(await node.new_receipts()) == 1


async def test_a_duplicate_is_answered_at_most_once_a_minute_and_stored_never(node: Node) -> None:
    sent, receiver = alert(), node.receiver("at.ncp")
    await receiver.receive([sent.delivery(to="at.ncp")])
    assert len(await node.new_receipts()) == 1

    for seconds, expected in ((1, 0), (58, 0), (1, 1), (59, 0), (1, 1)):
        node.clock.advance(seconds)
        assert await receiver.receive([sent.delivery(to="at.ncp")]) == [Outcome.DUPLICATE]
        assert len(await node.new_receipts()) == expected

    assert len(await node.inbox()) == 1
    assert await node.quarantined() == []


async def test_a_clock_set_back_does_not_silence_the_answers(node: Node) -> None:
    sent, receiver = alert(), node.receiver("at.ncp")
    node.clock.advance(3600)
    await receiver.receive([sent.delivery(to="at.ncp")])
    node.clock.advance(-3600)

    await receiver.receive([sent.delivery(to="at.ncp")])

    assert len(await node.new_receipts()) == 2


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


async def test_numbers_are_used_by_what_is_refused_past_step_9_too(node: Node) -> None:
    for_us = {"number": 10}, {"number": 12, "expires": START + timedelta(seconds=1)}, {"number": 14}
    first, expired, last = (alert(**given) for given in for_us)
    misrouted = alert(number=13)
    node.clock.advance(2)

    await node.receiver("at.ncp").receive(
        [first.delivery(to="at.ncp"), expired.delivery(to="at.ncp"), last.delivery(to="at.ncp")]
    )
    await node.receiver("at.ncp").receive([misrouted.delivery(to="at.ncp", type="alert_update")])

    async with node.store.reading() as unit:
        gaps = await unit.inbox.gaps(older_than=START + timedelta(hours=1))
    assert [number for *_, number in gaps] == [11, 13]


async def test_a_number_used_by_two_messages_is_accepted_with_an_alarm(node: Node) -> None:
    first, second = alert(number=10), alert(number=10)

    outcomes = await node.receiver("at.ncp").receive([first.delivery(to="at.ncp"), second.delivery(to="at.ncp")])

    assert outcomes == [Outcome.ACCEPTED] * 2
    (entry,) = await node.audit("sequence.number_reused")
    assert (entry.subject, entry.detail["number"]) == (second.id, "10")


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("kind", "body_of"), [("alert_update", update_body), ("alert_cancel", cancel_body)])
async def test_an_update_or_cancel_comes_from_whoever_began_the_thread(
    node: Node, kind: str, body_of: Callable[[Sent], dict[str, object]], *, at_once: bool
) -> None:
    first = alert()
    theirs = alert(sender="hu.ncp")
    good = alert(kind=kind, body=body_of(first), thread=first.id)
    forged = alert(kind=kind, sender="hu.ncp", body=body_of(theirs), thread=first.id)
    batch = [one.delivery(to="at.ncp") for one in (first, good, forged)]

    receiver = node.receiver("at.ncp")
    parts = [batch] if at_once else [[delivery] for delivery in batch]
    outcomes = [outcome for part in parts for outcome in await receiver.receive(part)]

    assert outcomes == [Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_NOT_ORIGINATOR"]
    assert [(item.id, item.supersedes) for item in await node.inbox()] == [(first.id, None), (good.id, first.id)]


async def test_an_answer_takes_no_answer_and_names_what_it_is_about(node: Node) -> None:
    of = alert()
    answer = alert(kind="acknowledgement", sender="at.ncp", to=["rs.ncp"], body=acknowledgement_body(of.reference))

    await node.receiver("rs.ncp").receive([answer.delivery(to="rs.ncp")])

    (item,) = await node.inbox()
    assert (item.of, item.acknowledge_by) == (of.id, None)


async def test_a_body_that_breaks_the_rules_is_rejected_with_the_code(node: Node) -> None:
    sent = alert(body={"title": "Only a title"})

    assert await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")]) == [Outcome.QUARANTINED]

    assert [receipt[:2] for receipt in await node.new_receipts()] == [("rejected", "E_BODY_SCHEMA")]


async def test_an_id_whose_time_no_calendar_has_is_refused_like_any_other(node: Node) -> None:
    sent = alert(id="ffffffff-ffff-7fff-bfff-ffffffffffff")

    assert await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")]) == [Outcome.QUARANTINED]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_ID"]


async def test_a_batch_that_cannot_be_stored_whole_leaves_nothing(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = [alert().delivery(to="at.ncp"), bent(alert()).delivery(to="at.ncp"), alert().delivery(to="at.ncp")]
    receiver = node.receiver("at.ncp")

    async def fail(*_: object) -> None:
        raise UnavailableError("E_DATABASE", "the database failed")

    with monkeypatch.context() as patched:
        patched.setattr("bridge.adapters.store.audit.SqlAuditLog.add", fail)  # the last thing that is written
        with pytest.raises(UnavailableError):
            await receiver.receive(batch)

    assert (await node.inbox(), await node.new_receipts(), await node.quarantined()) == ([], [], [])
    assert await receiver.receive(batch) == [Outcome.ACCEPTED, Outcome.QUARANTINED, Outcome.ACCEPTED]


async def test_a_crash_after_the_commit_costs_one_duplicate(node: Node) -> None:
    batch = [alert().delivery(to="at.ncp") for _ in range(5)]
    await node.receiver("at.ncp").receive(batch)

    again = [replace(delivery, redelivered=True) for delivery in batch]

    assert await node.receiver("at.ncp").receive(again) == [Outcome.DUPLICATE] * 5
    assert len(await node.inbox()) == len(await node.new_receipts()) == 5


def _junk(sent: Sent, wire_bytes: bytes) -> Delivery:
    return replace(sent.delivery(to="at.ncp"), wire_bytes=wire_bytes)
