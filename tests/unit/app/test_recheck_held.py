"""Held messages: judged again from the first byte; one verdict each, and nothing is lost or kept twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, alert, directory
from structlog.testing import capture_logs

from bridge.app.receiving import receive_message, refusing
from bridge.app.receiving.outcomes import Outcome
from bridge.app.receiving.recheck_held import RecheckHeld, RecheckOnNewList
from bridge.core.errors import UnavailableError
from bridge.core.verification import Authenticated, VerifiedMessage

MINUTE = 60


async def test_a_message_ahead_of_the_clock_is_accepted_when_its_time_has_come(node: Node) -> None:
    sent = alert(at=START + timedelta(minutes=5))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    assert await node.held() == 1

    node.clock.advance(5 * MINUTE)
    assert await node.rechecker("at.ncp").recheck() == 1

    assert await node.held() == 0
    assert [item.id for item in await node.inbox()] == [sent.id]
    assert await node.new_receipts() == [("delivered", None, sent.id)]


async def test_a_message_of_an_unknown_key_is_accepted_when_the_list_knows_it(node: Node) -> None:
    node.trust.directory = directory(without=["hu.ncp"])
    sent = alert(sender="hu.ncp")
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    node.trust.directory = directory(version=8)
    await node.rechecker("at.ncp").recheck()

    assert (await node.held(), [item.id for item in await node.inbox()]) == (0, [sent.id])


async def test_what_is_still_held_is_there_exactly_once_with_its_age(node: Node) -> None:
    sent = alert(at=START + timedelta(days=1))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    for _ in range(5):
        node.clock.advance(2 * MINUTE)
        assert await node.rechecker("at.ncp").recheck() == 1

    assert await node.held() == 1
    assert await node.quarantined() == []
    (held,) = await node.all_held()
    assert (held.at, held.wire_bytes, held.queue) == (START, sent.made.wire_bytes, "inbox.at.ncp.urgent")


async def test_a_full_quota_does_not_push_out_what_is_already_held(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = alert(at=START + timedelta(days=1))
    monkeypatch.setattr(refusing, "HELD_QUOTAS_BYTES", {"E_FUTURE": len(sent.made.wire_bytes) + 100})
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    await node.rechecker("at.ncp").recheck()

    assert (await node.held(), await node.quarantined()) == (1, [])


async def test_what_no_longer_fits_the_quota_is_quarantined_under_its_code(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (alert(at=START + timedelta(days=1)) for _ in range(2))
    monkeypatch.setattr(refusing, "HELD_QUOTAS_BYTES", {"E_FUTURE": len(first.made.wire_bytes) + 100})

    outcomes = await node.receiver("at.ncp").receive([first.delivery(to="at.ncp"), second.delivery(to="at.ncp")])

    assert outcomes == [Outcome.HELD, Outcome.QUARANTINED]
    assert await node.held() == 1
    assert [(one.code, one.wire_bytes) for one in await node.quarantined()] == [("E_FUTURE", second.made.wire_bytes)]
    assert await node.new_receipts() == []


async def test_a_held_message_that_turns_out_bad_is_quarantined_and_answered(node: Node) -> None:
    sent = alert(at=START + timedelta(minutes=5), expires=START + timedelta(minutes=6))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    node.clock.advance(7 * MINUTE)
    await node.rechecker("at.ncp").recheck()

    assert await node.held() == 0
    assert [refusal.code for refusal in await node.quarantined()] == ["E_EXPIRED"]
    assert await node.new_receipts() == [("rejected", "E_EXPIRED", sent.id)]


async def test_the_same_message_held_twice_is_stored_once(node: Node) -> None:
    sent = alert(at=START + timedelta(minutes=5))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")] * 2)

    node.clock.advance(5 * MINUTE)
    assert await node.rechecker("at.ncp").recheck() == 1

    assert (await node.held(), len(await node.inbox()), len(await node.new_receipts())) == (0, 1, 1)


async def test_hints_are_judged_again_as_they_came(node: Node) -> None:
    sent = alert(at=START + timedelta(minutes=5))
    await node.router("at").route([sent.delivery(), sent.delivery(copied=True), sent.delivery(user_id="hu-relay")])

    node.clock.advance(5 * MINUTE)
    await node.rechecker("at.ncp").recheck()

    assert [(refusal.code, refusal.seen) for refusal in await node.quarantined()] == [("E_ROUTE_MISMATCH", 2)]
    assert len(node.publisher.published) == 1


async def test_what_the_router_held_goes_on_through_the_router(node: Node) -> None:
    sent = alert(at=START + timedelta(minutes=5))
    await node.router("at").route([sent.delivery()])
    for _ in range(2):
        await node.rechecker("at.ncp").recheck()
        node.clock.advance(2 * MINUTE)
    assert (await node.held(), node.publisher.published) == (1, [])

    node.clock.advance(5 * MINUTE)
    await node.rechecker("at.ncp").recheck()

    assert await node.held() == 0
    assert [one.routing_key for one in node.publisher.published] == ["at.ncp.urgent"]
    assert await node.inbox() == []


async def test_what_somebody_else_holds_is_left_alone(node: Node) -> None:
    sent = alert(at=START + timedelta(minutes=5))
    await node.router("at").route([sent.delivery()])
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    node.clock.advance(5 * MINUTE)
    await node.rechecker("at.border-police", routes=False).recheck()

    assert await node.held() == 2
    assert await node.inbox() == []


async def test_it_is_not_judged_again_before_the_interval_is_over(node: Node) -> None:
    await node.receiver("at.ncp").receive([alert(at=START + timedelta(days=1)).delivery(to="at.ncp")])

    looked_at = []
    for seconds in (0, 30, 30, 1, 30):
        node.clock.advance(seconds)
        looked_at.append(await node.rechecker("at.ncp", every=MINUTE).recheck())

    assert looked_at == [1, 0, 0, 1, 0]


async def test_many_are_judged_in_one_go(node: Node) -> None:
    messages = [alert(at=START + timedelta(minutes=5)) for _ in range(150)]
    for begin in range(0, 150, 100):
        part = messages[begin : begin + 100]
        await node.receiver("at.ncp").receive([message.delivery(to="at.ncp") for message in part])

    node.clock.advance(5 * MINUTE)
    assert await node.rechecker("at.ncp").recheck() == 150

    assert await node.held() == 0
    assert [item.id for item in await node.inbox()] == [message.id for message in messages]


async def test_a_crash_while_judging_again_keeps_it_held(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = alert(at=START + timedelta(minutes=5))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    node.clock.advance(5 * MINUTE)

    async def fail(*_: object) -> None:
        raise UnavailableError("E_DATABASE", "the database failed")

    with monkeypatch.context() as patched:
        patched.setattr("bridge.adapters.store.refusals.SqlRefusals.drop_held", fail)
        with pytest.raises(UnavailableError):
            await node.rechecker("at.ncp").recheck()
    assert (await node.held(), await node.inbox()) == (1, [])

    node.clock.advance(2 * MINUTE)
    await node.rechecker("at.ncp").recheck()
    assert (await node.held(), len(await node.inbox())) == (0, 1)


async def test_a_process_that_serves_nobody_counts_nothing_as_tried(node: Node) -> None:
    # given what a contact point holds, and a second process of the node that serves no contact point
    await node.receiver("at.ncp").receive([alert(at=START + timedelta(minutes=5)).delivery(to="at.ncp")])
    elsewhere = RecheckHeld(
        store=node.store, clock=node.clock, receivers={}, router=None, every=timedelta(seconds=MINUTE)
    )

    # when that one comes first each time
    looked_at = []
    for _ in range(3):
        node.clock.advance(2 * MINUTE)
        looked_at += [await elsewhere.recheck(), await node.rechecker("at.ncp").recheck()]

    # then the contact point gets its turn all the same
    assert looked_at == [0, 1, 0, 1, 0, 0]
    assert len(await node.inbox()) == 1


async def test_one_message_that_cannot_be_judged_keeps_none_of_the_others_held(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given more than a batch of held messages, one of which brings the judging down
    messages = [alert(at=START + timedelta(minutes=5)) for _ in range(101)]
    await node.receiver("at.ncp").receive([message.delivery(to="at.ncp") for message in messages])
    poison = messages[50]
    opened = receive_message.open_message

    def fall_over(message: Authenticated, **given: object) -> VerifiedMessage:
        if message.payload.id == poison.id:
            raise ZeroDivisionError(str(message.payload))
        return opened(message, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(receive_message, "open_message", fall_over)
    node.clock.advance(5 * MINUTE)

    # when they are judged again
    with capture_logs() as logs:
        await node.rechecker("at.ncp").recheck()

    # then the others are delivered in order, and the log says which one is left, without its words
    (left,) = await node.all_held()
    assert left.wire_bytes == poison.made.wire_bytes
    assert [item.id for item in await node.inbox()] == [one.id for one in messages if one is not poison]
    assert [(line["event"], line["error"], line["id"]) for line in logs] == [
        ("held.fault", "ZeroDivisionError", left.id)
    ]
    assert poison.id not in str(logs)


async def test_a_broker_that_is_away_keeps_nothing_of_a_contact_point_held(node: Node) -> None:
    # given what the router and a contact point hold, and no broker
    sent = alert(at=START + timedelta(minutes=5))
    await node.router("at").route([sent.delivery()])
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    node.clock.advance(5 * MINUTE)
    node.publisher.is_away = True

    # when
    with pytest.raises(UnavailableError):
        await node.rechecker("at.ncp").recheck()

    # then
    assert (await node.held(), [item.id for item in await node.inbox()]) == (1, [sent.id])


async def test_everything_held_is_judged_at_once_when_there_is_another_list(node: Node) -> None:
    node.trust.directory = directory(without=["hu.ncp"])
    rechecker = node.rechecker("at.ncp")
    on_new_list = RecheckOnNewList(rechecker, node.trust)
    sent = alert(sender="hu.ncp")
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    await rechecker.recheck()
    for _ in range(3):
        node.clock.advance(1)
        await on_new_list.look()
    assert await node.held() == 1

    node.trust.directory = directory(version=8)
    node.clock.advance(1)
    await on_new_list.look()

    assert (await node.held(), [item.id for item in await node.inbox()]) == (0, [sent.id])


async def test_a_list_that_was_only_confirmed_anew_is_another_list(node: Node) -> None:
    fresh = node.trust.directory
    node.trust.directory = replace(fresh, signed_at=START - timedelta(days=60))
    on_new_list = RecheckOnNewList(node.rechecker("at.ncp"), node.trust)
    sent = alert()
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    await on_new_list.look()
    assert [one.code for one in await node.all_held()] == ["E_TRUST_STALE"]

    node.trust.directory = fresh
    node.clock.advance(1)
    await on_new_list.look()

    assert [item.id for item in await node.inbox()] == [sent.id]


async def test_while_the_list_is_the_same_nothing_is_judged_again(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    on_new_list = RecheckOnNewList(node.rechecker("at.ncp"), node.trust)
    await node.receiver("at.ncp").receive([alert(at=START + timedelta(days=1)).delivery(to="at.ncp")])
    judged: list[object] = []
    monkeypatch.setattr(RecheckHeld, "recheck", lambda *_, **given: judged.append(given))

    for _ in range(3):
        node.clock.advance(3600)
        await on_new_list.look()

    assert judged == []


async def test_without_any_list_it_waits_in_silence(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_list() -> object:
        raise UnavailableError("E_TRUST_LIST", "no membership list")

    monkeypatch.setattr(node.trust, "current", no_list)

    await RecheckOnNewList(node.rechecker("at.ncp"), node.trust).look()

    assert await node.held() == 0


async def test_a_new_list_and_the_ordinary_pace_never_judge_the_same_message_twice(node: Node) -> None:
    node.trust.directory = directory(without=["rs.ncp"])
    await node.router("at").route([alert().delivery() for _ in range(20)])
    rechecker = node.rechecker("at.ncp")
    node.trust.directory = directory(version=8)
    node.clock.advance(2 * MINUTE)

    looked_at = await asyncio.gather(rechecker.recheck(), rechecker.recheck(at_once=True))

    assert (sorted(looked_at), len(node.publisher.published)) == ([0, 20], 20)
