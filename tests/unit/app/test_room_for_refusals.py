"""Strangers cannot fill the tables of what was refused or held: quotas, one row for the same bytes, an end to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, Sent, alert, bent, directory

from bridge.app.receiving import refusing
from bridge.app.receiving.outcomes import Outcome
from bridge.ports.broker import Delivery

DAY = 86400.0


def respaced(sent: Sent, number: int) -> Delivery:
    """The same message in other bytes, as anybody can make without a key."""
    return replace(sent.delivery(to="at.ncp"), wire_bytes=b" " * number + sent.made.wire_bytes)


async def test_what_proves_nothing_does_not_push_out_what_is_only_ahead_of_the_clock(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given room for two messages with each code, and a flood of an unknown key's
    stranger, early = alert(sender="hu.ncp"), alert(at=START + timedelta(minutes=5))
    room = 2 * len(stranger.made.wire_bytes) + 100
    monkeypatch.setattr(refusing, "HELD_QUOTAS_BYTES", {"E_KEY_UNKNOWN": room, "E_FUTURE": room})
    node.trust.directory = directory(without=["hu.ncp"])
    flood = [respaced(stranger, number) for number in range(4)]

    # when both arrive
    outcomes = await node.receiver("at.ncp").receive([*flood, early.delivery(to="at.ncp")])

    # then each outcome says where the message really is, and the early one is delivered in its time
    held, quarantined = Outcome.HELD, Outcome.QUARANTINED
    assert outcomes == [held, held, quarantined, quarantined, held]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_KEY_UNKNOWN"] * 2
    assert len(await node.audit("message.refused")) == 2
    node.clock.advance(300)
    await node.rechecker("at.ncp").recheck()
    assert [item.id for item in await node.inbox()] == [early.id]


async def test_a_router_says_too_what_no_longer_fitted(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    # given
    first, second = (alert(at=START + timedelta(minutes=5)) for _ in range(2))
    monkeypatch.setattr(refusing, "HELD_QUOTAS_BYTES", {"E_FUTURE": len(first.made.wire_bytes) + 100})

    # when
    outcomes = await node.router("at").route([first.delivery(), second.delivery()])

    # then
    assert outcomes == [Outcome.HELD, Outcome.QUARANTINED]


async def test_what_waited_for_the_list_and_is_of_nobody_makes_room_for_others(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given something that was held because the list was too old, and turns out to be of an unknown key
    node.clock.advance(50 * DAY)
    stranger, good = (alert(at=node.clock.now(), sender=sender) for sender in ("hu.ncp", "rs.ncp"))
    room = len(stranger.made.wire_bytes) + 100
    monkeypatch.setattr(refusing, "HELD_QUOTAS_BYTES", {"E_TRUST_STALE": room, "E_KEY_UNKNOWN": room})
    receiver = node.receiver("at.ncp")
    assert await receiver.receive([stranger.delivery(to="at.ncp")]) == [Outcome.HELD]
    node.trust.directory = directory(without=["hu.ncp"], signed_at=node.clock.now())
    await node.rechecker("at.ncp").recheck()

    # when the list is too old again, then there is room for what comes
    node.trust.directory = directory()
    assert await receiver.receive([good.delivery(to="at.ncp")]) == [Outcome.HELD]
    assert [refusal.code for refusal in await node.all_held()] == ["E_KEY_UNKNOWN", "E_TRUST_STALE"]


@pytest.mark.parametrize("at_once", [True, False])
async def test_the_same_message_takes_the_quota_once(node: Node, *, at_once: bool) -> None:
    # given
    delivery = alert(at=START + timedelta(hours=3)).delivery(to="at.ncp")

    # when
    for part in [[delivery] * 10] if at_once else [[delivery]] * 10:
        assert await node.receiver("at.ncp").receive(part) == [Outcome.HELD] * len(part)

    # then
    assert await node.held() == 1


async def test_a_copy_with_wrong_properties_does_not_stand_in_for_the_good_one(node: Node) -> None:
    # given a message of a key not yet listed, which somebody published first with another routing key
    node.trust.directory = directory(without=["hu.ncp"])
    sent = alert(sender="hu.ncp")
    await node.router("at").route([sent.delivery(routing_key="rs.at.urgent.route_alert"), sent.delivery()])

    # when the list knows the key
    node.trust.directory = directory(version=8)
    await node.rechecker("at.ncp").recheck()

    # then the good copy goes on
    assert [one.wire_bytes for one in node.publisher.published] == [sent.made.wire_bytes]
    assert [refusal.code for refusal in await node.quarantined()] == ["E_ROUTE_MISMATCH"]


@pytest.mark.parametrize("by_router", [True, False])
async def test_nothing_is_held_for_longer_than_any_message_lives(node: Node, *, by_router: bool) -> None:
    # given a message whose key no list ever knows
    node.trust.directory = directory(without=["rs.ncp"])
    sent = alert()
    if by_router:
        await node.router("at").route([sent.delivery()])
    else:
        await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])

    # when a month passes, then it is still held; and a day later it is quarantined under its code
    for days, held in ((30, 1), (1.1, 0)):
        node.clock.advance(days * DAY)
        node.trust.directory = directory(without=["rs.ncp"], signed_at=node.clock.now())
        await node.rechecker("at.ncp").recheck()
        assert await node.held() == held
    (refusal,) = await node.quarantined()
    assert (refusal.code, refusal.at, refusal.wire_bytes) == ("E_KEY_UNKNOWN", START, sent.made.wire_bytes)
    assert [entry.subject for entry in await node.audit("message.refused")] == ([] if by_router else [refusal.id])


async def test_what_was_held_for_a_month_gets_a_last_chance_before_it_goes(node: Node) -> None:
    # given a long message of a key that becomes known after a month without anybody looking
    node.trust.directory = directory(without=["rs.ncp"])
    sent = alert(at=START + timedelta(minutes=2), expires=START + timedelta(days=30))
    await node.receiver("at.ncp").receive([sent.delivery(to="at.ncp")])
    node.clock.advance(32 * DAY)
    node.trust.directory = directory()

    # when it is judged, then the sender hears that it has expired
    await node.rechecker("at.ncp").recheck()
    assert await node.held() == 0
    assert await node.new_receipts() == [("rejected", "E_EXPIRED", sent.id)]


async def test_the_same_bytes_refused_again_are_counted_and_noted_once(node: Node) -> None:
    # given
    broken = bent(alert()).delivery(to="at.ncp")

    # when
    for seconds in (0, 10, 20):
        node.clock.advance(seconds)
        assert await node.receiver("at.ncp").receive([broken] * 2) == [Outcome.QUARANTINED] * 2

    # then
    (refusal,) = await node.quarantined()
    assert (refusal.seen, refusal.at, refusal.last_seen_at) == (6, START, START + timedelta(seconds=30))
    assert [entry.subject for entry in await node.audit("message.refused")] == [refusal.id]


async def test_beyond_the_quota_the_quarantine_keeps_everything_but_the_bytes(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given room for one
    first, second = bent(alert()), bent(alert())
    monkeypatch.setattr(refusing, "QUARANTINE_QUOTA_BYTES", len(first.made.wire_bytes) + 100)

    # when
    await node.receiver("at.ncp").receive([first.delivery(to="at.ncp"), second.delivery(to="at.ncp")])

    # then
    later, earlier = await node.quarantined()
    assert (earlier.wire_bytes, later.wire_bytes) == (first.made.wire_bytes, None)
    assert (later.size, later.properties["correlation_id"]) == (len(second.made.wire_bytes), second.id)
    async with node.store.reading() as unit:
        total = await unit.refusals.total()
    assert (total.kept_bytes, total.without_bytes) == (len(first.made.wire_bytes), 1)
