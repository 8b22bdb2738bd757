"""Heartbeats: everybody we exchange messages with hears from us, and whoever does not is told that we are silent."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

from bridge_world import Sent, control
from peer_worlds import HOUR, MINUTE, Network, control_of
from sqlalchemy import event

from bridge.adapters.store import SqlStore
from bridge.adapters.store.gaps import STREAMS_UNHEARD
from bridge.core.times import format_time
from bridge.core.verification import Hints
from bridge.core.wire import strict_json
from bridge.core.wire.envelope import parse_envelope
from bridge.ports.broker import Delivery, Publication

DAY = 24 * HOUR


async def test_a_heartbeat_says_which_numbers_were_used_in_each_lane(world: Network) -> None:
    # given two urgent alerts and no other
    serbia = world.countries["rs"]
    first, second = await serbia.submit("at.ncp"), await serbia.submit("at.ncp")
    await world.carry()

    # when
    assert await serbia.heartbeats.send() == 1

    # then
    (row,) = await serbia.waiting()
    numbers = [await serbia.number(own) for own in (first, second)]
    assert control_of(row) == {
        "epoch": 1,
        "urgent": {"first": numbers[0], "last": numbers[1]},
        "normal": {"first": 1, "last": 0},
    }
    assert numbers[1] == numbers[0] + 1
    payload = strict_json.parse_object(parse_envelope(row.wire_bytes).payload_bytes)
    assert (payload["status"], payload["to"], row.lane) == ("system", ["at.ncp"], "normal")
    assert row.expires - row.sent == timedelta(hours=1)


async def test_both_sides_of_an_exchange_send_them_and_strangers_get_none(world: Network) -> None:
    await world.pass_time(10 * MINUTE)
    assert world.carried == []

    await world.countries["rs"].submit("at.ncp")
    await world.carry()
    await world.pass_time(HOUR)

    beats = [one.routing_key for one in world.carried if one.kind == "heartbeat"]
    for way in ("rs.at.normal.heartbeat", "at.rs.normal.heartbeat"):
        assert 12 <= beats.count(way) <= 17  # every five minutes, or up to a fifth earlier
    assert set(beats) == {"rs.at.normal.heartbeat", "at.rs.normal.heartbeat"}


async def test_an_exchange_of_more_than_31_days_ago_is_over_and_its_silence_no_alarm(world: Network) -> None:
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.pass_time(10 * MINUTE)
    world.clock.advance(31 * DAY)
    world.carried.clear()

    await world.pass_time(HOUR, steps_of=10 * MINUTE)

    assert world.carried == []
    assert (await serbia.check("peers")).ok
    assert await serbia.node.audit("peer.silent") == []


async def test_at_most_one_heartbeat_waits_for_a_peer_however_long_the_broker_is_away(world: Network) -> None:
    # given
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.carry()

    # when nothing is relayed for hours
    for _ in range(30):
        await serbia.heartbeats.send()
        world.clock.advance(5 * MINUTE)

    # then
    assert await serbia.waiting_kinds() == ["heartbeat"]


async def test_sent_heartbeats_are_forgotten_bytes_and_all(world: Network) -> None:
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.pass_time(2.5 * HOUR, steps_of=5 * MINUTE)

    with closing(sqlite3.connect(world.path("rs.ncp"))) as database:
        ((beats,),) = database.execute("SELECT count(*) FROM outbox WHERE kind = 'heartbeat'")
        ((wires,),) = database.execute("SELECT count(*) FROM wire")
    assert 1 <= beats <= 16
    assert wires == 3  # the alert, its receipt, and the bytes of nothing


async def test_a_peer_that_is_away_for_weeks_finds_a_few_dozen_heartbeats(world: Network) -> None:
    # given an exchange, and then a peer that takes nothing off its queue
    serbia, austria = world.countries["rs"], world.countries.pop("at")
    await serbia.submit("at.ncp")
    await world.carry()
    world.countries["at"] = austria
    await serbia.node.relay().relay_once()
    del world.countries["at"]

    # when three weeks pass
    await world.pass_time(2 * HOUR, steps_of=5 * MINUTE)
    await world.pass_time(3 * DAY, steps_of=HOUR)
    await world.pass_time(18 * DAY, steps_of=6 * HOUR)
    beats = [one for one in world.carried if one.kind == "heartbeat"]
    assert 40 < len(beats) < 200

    # then what is overdue leaves nothing behind
    world.countries["at"] = austria
    for one in beats:
        hints = Hints(one.message_id, one.kind, one.sender)
        await austria.receiver.receive([Delivery(1, "inbox.at.ncp.normal", one.wire_bytes, hints, redelivered=False)])
    assert await austria.node.quarantined() == []
    await austria.store.close()


async def test_a_silent_peer_is_named_with_one_alarm_until_it_is_heard_again(world: Network) -> None:
    # given an exchange
    serbia, austria = world.countries["rs"], world.countries["at"]
    await serbia.submit("at.ncp")
    await world.pass_time(30 * MINUTE)
    assert (await serbia.check("peers")).ok
    since = max(one.sent for one in world.carried if one.sender == "at.ncp")

    # when nothing of the peer comes through for longer than three heartbeats and five minutes
    def from_austria(publication: Publication) -> bool:
        return publication.sender == "at.ncp"

    await world.pass_time(15 * MINUTE, from_austria)
    assert (await serbia.check("peers")).ok
    await world.pass_time(65 * MINUTE, from_austria, steps_of=5 * MINUTE)

    # then
    silent = await serbia.check("peers")
    assert not silent.ok
    assert silent.detail == f"at.ncp silent towards rs.ncp since {format_time(since)}"
    (alarm,) = await serbia.node.audit("peer.silent")
    assert alarm.detail == {"peer": "at.ncp", "last_heard": format_time(since)}
    assert await austria.node.audit("peer.silent") == []

    # and when it is heard again, it is said once
    serbia.begin()
    await world.pass_time(30 * MINUTE)
    assert (await serbia.check("peers")).ok
    assert len(await serbia.node.audit("peer.silent")) == len(await serbia.node.audit("peer.heard")) == 1


async def test_a_peer_that_never_answers_at_all_is_silent_too(world: Network) -> None:
    serbia = world.countries["rs"]
    await world.countries.pop("at").store.close()
    await serbia.submit("at.ncp")

    await world.pass_time(40 * MINUTE)

    assert "at.ncp silent towards rs.ncp" in (await serbia.check("peers")).detail


async def test_a_node_that_was_away_itself_calls_nobody_silent_before_it_has_listened(world: Network) -> None:
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.pass_time(30 * MINUTE)

    world.clock.advance(5 * HOUR)
    serbia.begin()
    await world.pass_time(25 * MINUTE)

    assert await serbia.node.audit("peer.silent") == []


async def test_old_messages_that_somebody_sends_again_do_not_make_a_peer_look_alive(world: Network) -> None:
    # given a peer that has gone, and a broker that has kept its heartbeats
    serbia = world.countries["rs"]
    await serbia.submit("at.ncp")
    await world.pass_time(30 * MINUTE)
    kept = [one for one in world.carried if one.sender == "at.ncp" and one.kind == "heartbeat"]
    await world.countries.pop("at").store.close()

    # when they come again and again
    for _ in range(40):
        world.clock.advance(MINUTE)
        for one in kept:
            hints = Hints(one.message_id, one.kind, one.sender)
            await serbia.receiver.receive([Delivery(1, "inbox.rs.ncp", one.wire_bytes, hints, redelivered=True)])

    # then
    assert not (await serbia.check("peers")).ok


async def test_hearing_a_peer_is_written_once_a_minute_at_most(world: Network) -> None:
    austria = world.countries["at"]
    writes: list[str] = []
    _watch(austria.store, "INSERT INTO peer", writes)

    for second in range(130):
        beat = _beat(world)
        await austria.receiver.receive([beat.delivery(to="at.ncp")])
        world.clock.advance(1)
        assert len(writes) == 1 + second // 60


async def test_heartbeats_cost_receiving_a_few_statements_however_many_come(world: Network) -> None:
    austria = world.countries["at"]
    await austria.receiver.receive([_beat(world).delivery(to="at.ncp")])
    statements: list[str] = []
    _watch(austria.store, "", statements)

    counts = []
    for size in (1, 50):
        statements.clear()
        await austria.receiver.receive([_beat(world).delivery(to="at.ncp") for _ in range(size)])
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 4


def _watch(store: SqlStore, start: str, into: list[str]) -> None:
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith(start):
            into.append(statement)

    event.listen(store._engine.sync_engine, "before_cursor_execute", note)


def _beat(world: Network) -> Sent:
    lane = {"first": 1, "last": 0}
    said = {"epoch": 1, "urgent": lane, "normal": lane}
    return control("heartbeat", said, sender="rs.ncp", to="at.ncp", at=world.now())


async def test_ever_new_epochs_in_which_nothing_came_are_not_heeded_and_that_is_said_once(world: Network) -> None:
    serbia = world.countries["rs"]
    one, none = {"first": 1, "last": 1}, {"first": 1, "last": 0}

    for epoch in range(100, 130):
        beat = {"epoch": epoch, "urgent": one, "normal": none}
        message = control("heartbeat", beat, sender="hu.ncp", to="rs.ncp", at=world.now())
        await serbia.receiver.receive([message.delivery(to="rs.ncp")])

    assert len(await serbia.missing()) == STREAMS_UNHEARD
    (entry,) = await serbia.node.audit("sequence.ignored")
    assert entry.detail == {"from": "hu.ncp", "epoch": "116", "lane": "urgent"}
