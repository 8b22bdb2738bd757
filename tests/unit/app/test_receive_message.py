"""Receiving at a contact point: what is accepted is stored, answered and numbered in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, Sent, acknowledgement_body, alert, bent, cancel_body, update_body

from bridge.app.receiving.outcomes import Outcome
from bridge.core.errors import UnavailableError


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
    assert node.vault.get("at.ncp", item.body, context=f"at.ncp/rs.ncp/{sent.id}") == sent.made.plaintext_bytes
    assert await node.new_receipts() == [("delivered", None, sent.id)]
    with pytest.raises(UnavailableError):
        node.vault.get("hu.ncp", item.body, context=f"at.ncp/rs.ncp/{sent.id}")


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
