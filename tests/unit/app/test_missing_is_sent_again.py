"""A message that was lost is missed, asked for and sent again; both sides say so by name until it has come."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType

import pytest
from bridge_world import Sent, control, directory
from peer_worlds import HOUR, MINUTE, Loses, Network, control_of, extra_key, nothing, of_kind

from bridge.app.keys.renewing import kids_of
from bridge.app.no_gap.resending import MOST_NOTED_OF_A_PAIR
from bridge.app.receiving.outcomes import Outcome
from bridge.core.directory import Directory
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.broker import Publication


@pytest.mark.parametrize("lost", [0, 1, 2])
async def test_a_lost_message_is_asked_for_and_arrives_as_it_was_sent(world: Network, lost: int) -> None:
    # given three alerts, one of which, the last one too, a broker lost
    serbia, austria = world.countries["rs"], world.countries["at"]
    sent = []
    for number in range(3):
        sent.append(await serbia.submit("at.ncp"))
        await world.carry(of_kind("route_alert") if number == lost else nothing)
    assert await austria.received() == [own for own in sent if own != sent[lost]]

    # when heartbeats go their way
    await world.pass_time(8 * MINUTE)

    # then everything has come once, byte for byte, and the sender knows
    assert sorted(await austria.received()) == sorted(sent)
    copies = {one.wire_bytes for one in world.carried if one.message_id == sent[lost]}
    assert copies == {(await serbia.node.sent(sent[lost])).wire_bytes}
    assert await serbia.states(sent) == ["delivered"] * 3
    assert await austria.missing() == []
    assert (await austria.check("sequence")).ok
    assert (await serbia.check("asked again")).ok


async def test_what_is_missing_is_named_on_both_sides_until_it_comes(world: Network) -> None:
    # given an alert that is lost every time
    serbia, austria = world.countries["rs"], world.countries["at"]
    first = await serbia.submit("at.ncp")
    await world.carry()
    sent = await serbia.submit("at.ncp")
    number = await serbia.number(sent)

    # when time passes
    await world.pass_time(20 * MINUTE, of_kind("route_alert"), steps_of=2 * MINUTE)

    # then the receiver names it, in status, log and audit, once
    missing = await austria.check("sequence")
    assert not missing.ok
    assert f"rs.ncp to at.ncp urgent (epoch 1) {number}" in missing.detail
    (alarm,) = await austria.node.audit("sequence.gap")
    assert alarm.detail == {"from": "rs.ncp", "epoch": "1", "lane": "urgent", "numbers": str(number)}

    # and the sender too
    asked = await serbia.check("asked again")
    assert not asked.ok
    assert asked.detail == f"at.ncp missed urgent {number} of rs.ncp (epoch 1): sent again"
    entries = await serbia.node.audit("sequence.asked_again")
    assert {(one.actor, one.detail["sent"]) for one in entries} == {("at.ncp", str(number))}

    # until it comes
    await world.pass_time(2 * HOUR, steps_of=10 * MINUTE)
    assert await austria.received() == [first, sent]
    assert (await austria.check("sequence")).ok
    assert (await serbia.check("asked again")).ok
    assert len(await austria.node.audit("sequence.gap")) == 1


async def test_numbers_are_asked_for_less_and_less_often(world: Network) -> None:
    # given
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.pass_time(6 * MINUTE, of_kind("route_alert"))
    world.carried.clear()
    answered = len(await serbia.node.audit("sequence.asked_again"))

    # when a day passes without the message
    await world.pass_time(HOUR, of_kind("route_alert"), steps_of=5 * MINUTE)
    await world.pass_time(23 * HOUR, of_kind("route_alert"), steps_of=HOUR)

    # then it was asked for at 10 and at 60 minutes and every six hours, and answered as often
    asked = world.carried_kinds().count("resend_request")
    assert asked in {5, 6}
    assert len(await serbia.node.audit("sequence.asked_again")) == answered + asked


async def test_a_message_that_expired_meanwhile_leaves_a_stub_and_uses_its_number(world: Network) -> None:
    # given an alert that was worth something for two minutes
    serbia, austria = world.countries["rs"], world.countries["at"]
    sent = await serbia.submit("at.ncp", lifetime=timedelta(minutes=2))
    await world.carry(of_kind("route_alert"))

    # when it is sent again later
    await world.pass_time(10 * MINUTE)

    # then
    (item,) = await austria.node.inbox()
    assert (item.id, item.state) == (sent, "expired")
    assert await serbia.states([sent]) == ["rejected"]
    assert await austria.missing() == []


async def test_a_message_that_has_not_left_yet_is_not_put_beside_itself(world: Network) -> None:
    # given an alert that still waits, although the recipient knows of its number
    serbia = world.countries["rs"]
    sent = await serbia.submit("at.ncp")
    request = _request([await serbia.number(sent)])

    # when it is asked for
    await serbia.receiver.receive([request.delivery(to="rs.ncp")])

    # then
    assert [row.message_id for row in await serbia.waiting()] == [sent]


async def test_a_number_is_answered_once_in_five_minutes_however_often_it_is_asked_for(world: Network) -> None:
    serbia = world.countries["rs"]
    sent = await serbia.submit("at.ncp")
    await world.carry(of_kind("route_alert"))
    number = await serbia.number(sent)
    asked = [_request([number, number + 9]) for _ in range(5)]

    for request in asked:
        assert await serbia.receiver.receive([request.delivery(to="rs.ncp")]) == [Outcome.ACCEPTED]
    assert sorted(await serbia.waiting_kinds()) == ["heartbeat", "route_alert"]

    await world.carry(of_kind("route_alert", "heartbeat"))
    world.clock.advance(5 * MINUTE)
    await serbia.receiver.receive([asked[0].delivery(to="rs.ncp")])
    assert sorted(await serbia.waiting_kinds()) == ["heartbeat", "route_alert"]


async def test_receipts_between_the_requests_make_no_difference(world: Network) -> None:
    # given an alert that arrived
    serbia = world.countries["rs"]
    sent = await serbia.submit("at.ncp")
    await world.carry()
    out, number = await serbia.node.sent(sent), await serbia.number(sent)
    of = {"id": sent, "payload_sha256": out.payload_sha256, "sealed_sha256": out.sealed_sha256}
    world.carried.clear()

    # when its recipient asks for it and acknowledges it in turn, for four minutes
    for _ in range(24):
        world.clock.advance(10)
        receipt = control("receipt", {"state": "delivered", "of": of}, at=world.now())
        for message in (_request([number]), receipt):
            assert await serbia.receiver.receive([message.delivery(to="rs.ncp")]) == [Outcome.ACCEPTED]
        await world.carry()

    # then
    assert world.carried_kinds().count("route_alert") == 1
    assert (await serbia.check("asked again")).ok


async def test_a_clock_that_ran_ahead_silences_no_answer(world: Network) -> None:
    serbia = world.countries["rs"]
    request = _request([await serbia.number(await serbia.submit("at.ncp"))])
    await world.carry(of_kind("route_alert"))
    world.clock.advance(12 * HOUR)
    await serbia.receiver.receive([request.delivery(to="rs.ncp")])
    await world.carry(of_kind("route_alert"))
    world.clock.advance(-12 * HOUR)

    await serbia.receiver.receive([request.delivery(to="rs.ncp")])

    assert await serbia.waiting_kinds() == ["route_alert"]


async def test_only_who_a_number_was_for_gets_it(world: Network) -> None:
    serbia = world.countries["rs"]
    number = await serbia.number(await serbia.submit("at.ncp"))
    await world.carry(of_kind("route_alert"))
    stranger = _request([number], sender="hu.ncp")

    await serbia.receiver.receive([stranger.delivery(to="rs.ncp")])

    (row,) = await serbia.waiting()
    assert (row.country, row.kind) == ("hu", "heartbeat")
    assert control_of(row)["void"] == [{"lane": "urgent", "number": number, "code": "E_UNKNOWN_NUMBER"}]
    assert control_of(row)["urgent"] == {"first": 1, "last": 0}


async def test_asking_for_nonsense_is_answered_by_one_message_and_noted_within_a_bound(world: Network) -> None:
    serbia = world.countries["rs"]

    for start in range(0, MOST_NOTED_OF_A_PAIR + 5000, 1000):
        asked = _request(list(range(start, start + 1000)), epoch=7)
        await serbia.receiver.receive([asked.delivery(to="rs.ncp")])

    rows = await serbia.waiting()
    assert {row.kind for row in rows} == {"heartbeat"}
    assert len(rows) == MOST_NOTED_OF_A_PAIR / 1000
    async with serbia.store.reading() as unit:
        assert await unit.asked_again.count("rs.ncp", "at.ncp") == MOST_NOTED_OF_A_PAIR
    assert (await serbia.check("asked again")).detail.startswith("at.ncp missed urgent 0-999 of rs.ncp (epoch 7)")


@pytest.mark.parametrize("change", ["gone", "revoked", "spent"])
async def test_what_nobody_would_accept_any_more_waits_for_a_key_and_comes_under_it(
    world: Network, change: str
) -> None:
    # given a lost alert, signed with a key that is no longer good
    serbia, austria = world.countries["rs"], world.countries["at"]
    sent = await serbia.submit("at.ncp")
    before = await serbia.node.sent(sent)
    request = _request([await serbia.number(sent)])
    await world.carry(of_kind("route_alert"))
    serbia.trust.directory = _directory_with("rs.ncp#sig-1", change, world.now())

    # when it is asked for, then nothing that nobody accepts is sent
    await serbia.receiver.receive([request.delivery(to="rs.ncp")])
    assert await serbia.waiting() == []

    # when there is a new key, then it comes under that one, over the same payload
    kid = "rs.ncp#sig-2"
    with extra_key(serbia, kid):
        await serbia.receiver.receive([request.delivery(to="rs.ncp")])
        await world.carry()
    assert await austria.received() == [sent]
    after = await serbia.node.sent(sent)
    assert kids_of(after.wire_bytes) == [kid]
    assert parse_envelope(after.wire_bytes).payload_bytes == parse_envelope(before.wire_bytes).payload_bytes


async def test_an_alarm_about_a_request_ends_a_day_after_its_answer(world: Network) -> None:
    serbia = world.countries["rs"]
    number = await serbia.number(await serbia.submit("at.ncp"))
    await world.carry(of_kind("route_alert"))
    await serbia.receiver.receive([_request([number]).delivery(to="rs.ncp")])
    assert not (await serbia.check("asked again")).ok

    world.clock.advance(24 * HOUR + 1)
    assert (await serbia.check("asked again")).ok
    await serbia.heartbeats.send()
    async with serbia.store.reading() as unit:
        assert await unit.asked_again.count("rs.ncp", "at.ncp") == 0


async def test_a_sender_that_claims_every_number_there_is_is_asked_for_a_few_thousand(world: Network) -> None:
    # given a heartbeat that says 2^53 numbers were used, and an honest gap of another peer
    austria = world.countries["at"]
    everything = {"first": 0, "last": 2**53 - 1}
    lie = control("heartbeat", {"epoch": 1, "urgent": everything, "normal": everything}, sender="hu.ncp", to="at.ncp")
    await austria.receiver.receive([lie.delivery(to="at.ncp")])
    lost = await world.countries["rs"].submit("at.ncp")

    # when hours pass
    await world.pass_time(3 * HOUR, _first_only(lost), steps_of=10 * MINUTE)

    # then
    asked = [one for one in world.carried if one.kind == "resend_request"]
    to_hungary = [one for one in asked if one.routing_key.split(".")[1] == "hu"]
    assert 5 <= len(to_hungary) <= 30
    numbers = {number for one in to_hungary for number in control_of(one)["numbers"]}  # type: ignore[attr-defined]
    assert len(numbers) <= 5000
    assert await austria.received() == [lost]


def _directory_with(kid: str, change: str, now: datetime) -> Directory:
    whole = directory()
    keys = dict(whole.signing_keys)
    key = keys.pop(kid)
    if change == "revoked":
        keys[kid] = replace(key, revoked_at=now)
    if change == "spent":
        keys[kid] = replace(key, use_until=now, verify_until=now)
    return replace(whole, signing_keys=MappingProxyType(keys))


def _first_only(message_id: str) -> Loses:
    seen: list[str] = []

    def loses(publication: Publication) -> bool:
        if publication.message_id != message_id or seen:
            return False
        seen.append(message_id)
        return True

    return loses


def _request(numbers: list[int], *, sender: str = "at.ncp", epoch: int = 1) -> Sent:
    asked = {"epoch": epoch, "lane": "urgent", "numbers": numbers}
    return control("resend_request", asked, sender=sender, to="rs.ncp")
