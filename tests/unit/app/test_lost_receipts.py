"""A receipt that was lost comes after all: its message is published once more, and the recipient answers the copy."""

from __future__ import annotations

from datetime import timedelta

import pytest
from peer_worlds import HOUR, MINUTE, Network, of_kind

from bridge.app.no_gap import repeat_unanswered
from bridge.ports.broker import Publication


@pytest.mark.parametrize("lifetime", [timedelta(days=7), timedelta(minutes=30)])
async def test_a_lost_receipt_is_answered_by_a_copy_of_its_message(world: Network, lifetime: timedelta) -> None:
    # given an alert that arrived, and a receipt that did not
    serbia, austria = world.countries["rs"], world.countries["at"]
    sent = await serbia.submit("at.ncp", lifetime=lifetime)
    await world.carry(of_kind("receipt"))
    await world.pass_time(50 * MINUTE, of_kind("receipt"), steps_of=10 * MINUTE)
    assert await serbia.states([sent]) == ["sent"]

    # when an hour has passed
    await world.pass_time(20 * MINUTE, steps_of=10 * MINUTE)

    # then
    assert await serbia.states([sent]) == ["delivered"]
    assert await austria.received() == [sent]
    assert [entry.subject for entry in await serbia.node.audit("message.repeated")] == [sent]


async def test_a_message_is_repeated_four_times_at_most(world: Network) -> None:
    serbia = world.countries["rs"]
    sent = await serbia.submit("at.ncp")
    await world.carry(of_kind("receipt"))

    await world.pass_time(10 * MINUTE, of_kind("receipt"))
    await world.pass_time(8 * HOUR, of_kind("receipt"), steps_of=2 * HOUR)
    await world.pass_time(112 * HOUR, of_kind("receipt"), steps_of=8 * HOUR)

    assert [entry.subject for entry in await serbia.node.audit("message.repeated")] == [sent] * 4


async def test_nothing_is_repeated_to_somebody_who_was_not_heard_since(world: Network) -> None:
    # given a peer that was heard before, and then no more
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.pass_time(10 * MINUTE)
    await serbia.submit("at.ncp")

    def at_austria_or_of_it(publication: Publication) -> bool:
        return publication.sender == "at.ncp" or publication.kind == "route_alert"

    # when a day passes
    await world.pass_time(26 * HOUR, at_austria_or_of_it, steps_of=2 * HOUR)

    # then
    assert await serbia.node.audit("message.repeated") == []


async def test_what_has_its_receipt_is_not_repeated(world: Network) -> None:
    await world.countries["rs"].submit("at.ncp")

    await world.pass_time(26 * HOUR, steps_of=2 * HOUR)

    assert world.carried_kinds().count("route_alert") == 1


async def test_more_than_a_look_repeats_is_repeated_by_the_next_ones(
    world: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given more messages without receipts than one look repeats
    monkeypatch.setattr(repeat_unanswered, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(repeat_unanswered, "PARTS_OF_A_LOOK", 2)
    serbia = world.countries["rs"]
    sent = [await serbia.submit("at.ncp") for _ in range(20)]
    await world.carry(of_kind("receipt"))
    await world.pass_time(50 * MINUTE, of_kind("receipt"), steps_of=10 * MINUTE)

    # when the hour is over, and then time passes
    await world.pass_time(20 * MINUTE, of_kind("receipt"), steps_of=10 * MINUTE)
    at_first = len(await serbia.node.audit("message.repeated"))
    await world.pass_time(40 * MINUTE, of_kind("receipt"), steps_of=10 * MINUTE)

    # then each was repeated once
    assert 0 < at_first < len(sent)
    repeated = [entry.subject for entry in await serbia.node.audit("message.repeated")]
    assert sorted(str(subject) for subject in repeated) == sorted(sent)
