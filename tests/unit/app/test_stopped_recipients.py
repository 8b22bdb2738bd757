"""Nothing leaves for somebody whom the list has stopped; the sender sees who that is, and others get what is theirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from peer_worlds import HOUR, MINUTE, Country, Network, extra_key, of_kind
from test_signed_again import NEW, OLD, revoked, sign_again

from bridge.app.checks.check_undelivered import check_undelivered
from bridge.app.sending.stopped import GONE, SUSPENDED
from bridge.app.sending.withdraw_stopped import WithdrawStopped
from bridge.core.directory import Directory
from bridge.ports.broker import PublishOutcome

REASON = "office raided"


def suspended(before: Directory, *identifiers: str) -> Directory:
    stopped = {own: replace(before.contact_points[own], suspended=REASON) for own in identifiers}
    return replace(
        before, version=before.version + 1, contact_points=MappingProxyType({**before.contact_points, **stopped})
    )


def removed(before: Directory, *identifiers: str) -> Directory:
    staying = {own: point for own, point in before.contact_points.items() if own not in identifiers}
    return replace(before, version=before.version + 1, contact_points=MappingProxyType(staying))


def withdraw(country: Country) -> WithdrawStopped:
    return WithdrawStopped(country.store, country.trust, country.clock)


async def codes(country: Country, message_id: str) -> dict[str, tuple[str, str | None]]:
    return {to.id: (to.state, to.code) for to in (await country.node.sent(message_id)).recipients}


@pytest.mark.parametrize(("stop", "code"), [(suspended, SUSPENDED), (removed, GONE)])
async def test_what_waits_for_who_was_stopped_is_withdrawn_and_the_sender_is_told_why(
    world: Network, stop: Callable[[Directory, str], Directory], code: str
) -> None:
    # given a message that waits, and one to somebody else
    serbia = world.countries["rs"]
    sent, other = await serbia.submit("at.ncp"), await serbia.submit("hu.ncp")

    # when
    world.trust.directory = stop(world.trust.directory, "at.ncp")
    await world.carry()

    # then
    assert [one.message_id for one in world.carried if one.kind == "route_alert"] == [other]
    assert await codes(serbia, sent) == {"at.ncp": ("expired", code)}
    assert await codes(serbia, other) == {"hu.ncp": ("sent", None)}
    (entry,) = await serbia.node.audit("message.withdrawn")
    assert (entry.contact_point, entry.subject) == ("rs.ncp", sent)
    assert entry.detail == {"to": "at.ncp", "kind": "route_alert", "code": code}
    told = await check_undelivered(serbia.store, now=world.now())
    assert f"to at.ncp: given up before it was sent ({code})" in told.detail
    assert await serbia.waiting() == []


async def test_others_in_the_same_country_get_the_same_publish(world: Network) -> None:
    # given one publish for two desks of a country, of which one is stopped, and one for the stopped one alone
    serbia = world.countries["rs"]
    both, alone = await serbia.submit("at.ncp", "at.border-police"), await serbia.submit("at.border-police")
    world.trust.directory = suspended(world.trust.directory, "at.border-police")

    # when
    await world.carry(of_kind("receipt"))

    # then
    assert [one.message_id for one in world.carried if one.kind == "route_alert"] == [both]
    assert await codes(serbia, both) == {"at.ncp": ("sent", None), "at.border-police": ("expired", SUSPENDED)}
    assert await codes(serbia, alone) == {"at.border-police": ("expired", SUSPENDED)}
    assert await world.countries["at"].received() == [both]


async def test_what_no_relay_takes_up_now_is_withdrawn_at_the_new_list(world: Network) -> None:
    # given a message that waits for its next attempt, one that is leased, and no broker
    serbia = world.countries["rs"]
    waiting = await serbia.submit("at.ncp")
    serbia.node.publisher.outcomes["rs.at.urgent.route_alert"] = PublishOutcome.UNROUTABLE
    await serbia.relay.relay_once()
    leased = await serbia.submit("at.ncp")
    async with serbia.store.writing() as unit:
        await unit.outbox.claim("publisher", token="a relay", now=world.now(), lease_seconds=10, limit=10)
    other = await serbia.submit("hu.ncp")
    chore = withdraw(serbia)
    assert await chore.look() == 0

    # when
    world.trust.directory = suspended(world.trust.directory, "at.ncp")
    assert await chore.look() == 1

    # then what is leased is its relay's
    assert await codes(serbia, waiting) == {"at.ncp": ("expired", SUSPENDED)}
    assert await codes(serbia, leased) == {"at.ncp": ("pending", None)}
    assert await codes(serbia, other) == {"hu.ncp": ("pending", None)}
    serbia.clock.advance(MINUTE)
    await serbia.relay.relay_once()
    assert [one.message_id for one in serbia.node.publisher.published] == [waiting, other]
    assert await codes(serbia, leased) == {"at.ncp": ("expired", SUSPENDED)}

    # and a list in which nobody else is stopped is not looked through
    world.trust.directory = replace(world.trust.directory, version=99)
    assert await chore.look() == 0


async def test_a_start_looks_at_what_was_stopped_while_nothing_ran(world: Network) -> None:
    serbia = world.countries["rs"]
    for _ in range(3):
        await serbia.submit("at.ncp")
    world.trust.directory = removed(world.trust.directory, "at.ncp")

    assert await withdraw(serbia).look() == 3
    assert await serbia.waiting() == []


async def test_what_a_broker_may_have_taken_is_still_said_of_what_is_withdrawn(world: Network) -> None:
    serbia = world.countries["rs"]
    sent = await serbia.submit("at.ncp")
    serbia.node.publisher.outcomes["rs.at.urgent.route_alert"] = PublishOutcome.UNKNOWN
    await serbia.relay.relay_once()
    world.trust.directory = suspended(world.trust.directory, "at.ncp")

    await withdraw(serbia).look()

    assert await codes(serbia, sent) == {"at.ncp": ("expired", "E_PUBLISH_UNKNOWN")}


async def test_nothing_is_signed_again_or_repeated_to_who_was_stopped(world: Network) -> None:
    # given a message that waits, and one that arrived and whose receipt did not
    serbia, austria = world.countries["rs"], world.countries["at"]
    arrived = await serbia.submit("at.ncp")
    await world.carry(of_kind("receipt"))
    await world.pass_time(10 * MINUTE, of_kind("receipt"))
    waiting = await serbia.submit("at.ncp")
    world.carried.clear()

    # when the recipient is stopped, our key as well, and time passes
    world.trust.directory = suspended(world.trust.directory, "at.ncp")
    with extra_key(serbia, NEW):
        world.trust.directory = revoked(world.trust.directory, OLD)
        await sign_again(serbia).look()
        await world.pass_time(8 * HOUR, steps_of=HOUR / 2)

    # then nothing of ours goes there: no message, no receipt, no heartbeat
    assert [one.kind for one in world.carried if one.sender == "rs.ncp"] == []
    assert await serbia.node.audit("message.repeated") == []
    assert await codes(serbia, waiting) == {"at.ncp": ("expired", SUSPENDED)}
    assert await codes(serbia, arrived) == {"at.ncp": ("sent", None)}
    assert await austria.received() == [arrived]


async def test_who_comes_back_asks_for_what_was_withdrawn(world: Network) -> None:
    # given two messages that were withdrawn, of which one expires meanwhile
    serbia, austria = world.countries["rs"], world.countries["at"]
    sent = await serbia.submit("at.ncp", lifetime=timedelta(days=7))
    short = await serbia.submit("at.ncp", lifetime=timedelta(hours=2))
    listed = world.trust.directory
    world.trust.directory = suspended(listed, "at.ncp")
    await world.pass_time(3 * HOUR, steps_of=HOUR)
    assert await austria.received() == []

    # when it is a member again
    world.trust.directory = replace(listed, version=listed.version + 2)
    await world.pass_time(HOUR, steps_of=5 * MINUTE)

    # then the proof of no gap brings the one, and says of the other that there was one
    assert sorted(await austria.received()) == sorted([sent, short])
    assert await codes(serbia, sent) == {"at.ncp": ("delivered", None)}
    assert await codes(serbia, short) == {"at.ncp": ("rejected", "E_EXPIRED")}


async def test_damaged_bytes_keep_nobody_from_going(world: Network) -> None:
    serbia = world.countries["rs"]
    sent, stopped = await serbia.submit("hu.ncp"), await serbia.submit("at.ncp")
    rows = [replace(row, wire_bytes=b"damaged") if row.message_id == sent else row for row in await serbia.waiting()]
    world.trust.directory = suspended(world.trust.directory, "at.ncp")

    assert [row.message_id for row in await withdraw(serbia).sift(rows)] == [sent]
    assert await codes(serbia, stopped) == {"at.ncp": ("expired", SUSPENDED)}


async def test_where_nobody_is_stopped_the_relay_reads_and_writes_nothing_more(world: Network) -> None:
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    rows, stopped = await serbia.waiting(), withdraw(serbia)
    await stopped.look()

    stopped.store = None  # type: ignore[assignment] - nothing is asked of it
    assert await stopped.sift([replace(row, wire_bytes=b"") for row in rows]) == [replace(rows[0], wire_bytes=b"")]
    world.trust.directory = replace(world.trust.directory, version=99)
    assert (await stopped.look(), await stopped.sift(rows)) == (0, rows)


async def test_after_somebody_was_stopped_what_is_made_by_the_list_before_is_read_for_a_while(world: Network) -> None:
    # given a relay that has looked at a list in which one of two desks of a country is removed
    serbia, stopped = world.countries["rs"], withdraw(world.countries["rs"])
    await stopped.look()
    before, after = world.trust.directory, removed(world.trust.directory, "at.ncp")
    world.trust.directory = after
    await stopped.look()

    # when messages come that were made by the list before
    world.trust.directory = before
    sent, alone = await serbia.submit("at.ncp", "at.border-police"), await serbia.submit("at.ncp")
    world.trust.directory = after
    going = await stopped.sift(await serbia.waiting())

    # then
    assert [row.message_id for row in going] == [sent]
    assert await codes(serbia, alone) == {"at.ncp": ("expired", GONE)}
