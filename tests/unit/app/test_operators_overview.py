"""What an operator sees of the last day, from a real store; and the figures for a monitoring system."""

from __future__ import annotations

from datetime import timedelta

import pytest
from bridge_node import Node
from bridge_world import START, alert
from hypothesis import given
from hypothesis import strategies as st

from bridge.app.operating.figures import GatherFigures
from bridge.app.operating.overview import LookAtTraffic, Overview, percentile
from bridge.app.operating.reasons import ReasonClass, class_of
from bridge.app.operating.try_peer import TryPeer
from bridge.core.errors import BadInputError, UnavailableError
from bridge.ports.store.records import ReceiptRow

EVERY = timedelta(minutes=5)


@given(st.lists(st.floats(min_value=0, max_value=1e6), min_size=1, max_size=200), st.integers(1, 100))
def test_a_percentile_is_one_of_the_values_with_enough_at_or_below_it(values: list[float], percent: int) -> None:
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) * 100 >= percent * len(values)
    assert sum(value < found for value in values) * 100 < percent * len(values)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile([], 95) is None


async def look(node: Node, own: str = "rs.ncp") -> Overview:
    return await LookAtTraffic(node.store, node.trust, node.clock, (own,), EVERY).look()


async def given_delivered(node: Node, *, after_seconds: float, reply_within_s: int | None = None) -> str:
    sent = alert(sender="rs.ncp", to=["at.ncp"])
    await node.given_sent(sent, reply_within_s=reply_within_s)
    async with node.store.writing() as unit:
        await unit.ledger.mark_sent([(sent.addressing.id, "at")], node.clock.now())
        at = node.clock.now() + timedelta(seconds=after_seconds)
        row = ReceiptRow(sent.addressing.id, "at.ncp", "r" + sent.addressing.id[1:], "delivered", None, "x", at, b"r")
        await unit.ledger.add_receipts([row])
    return sent.addressing.id


async def test_delivery_is_timed_from_the_brokers_confirmation_to_the_receipt(node: Node) -> None:
    await given_delivered(node, after_seconds=2.5)
    node.clock.advance(10)

    seen = await look(node)

    (peer,) = [one for one in seen.peers if one.id == "at.ncp"]
    assert (peer.p50, peer.p95, seen.p95, seen.delivered) == (2.5, 2.5, 2.5, 1)
    assert sum(peer.hourly) == 1
    assert sum(hour.count for hour in seen.hours) == 1


async def test_an_answer_counts_once_it_is_due_and_in_time_only_when_it_came_in_time(node: Node) -> None:
    answered = await given_delivered(node, after_seconds=1, reply_within_s=3600)
    await given_delivered(node, after_seconds=1, reply_within_s=3600)
    async with node.store.writing() as unit:
        at = START + timedelta(minutes=10)
        await unit.ledger.mark_acknowledged(answered, "at.ncp", level="accepted", at=at)

    node.clock.advance(1800)
    assert [one.answered_in_time for one in (await look(node)).peers if one.id == "at.ncp"] == [1.0]
    node.clock.advance(3600)
    assert [one.answered_in_time for one in (await look(node)).peers if one.id == "at.ncp"] == [0.5]


async def test_what_is_older_than_a_day_is_no_part_of_it(node: Node) -> None:
    await given_delivered(node, after_seconds=1)
    node.clock.advance(25 * 3600)

    seen = await look(node)

    assert (seen.delivered, seen.p95) == (0, None)
    assert all(one.p50 is None and sum(one.hourly) == 0 for one in seen.peers)


def test_every_reason_has_a_class() -> None:
    assert class_of("E_SIGNATURE") is ReasonClass.SECURITY
    assert class_of("E_EXPIRED") is ReasonClass.DELIVERY
    assert class_of("E_BODY_SCHEMA") is ReasonClass.DATA
    assert class_of("E_OF_A_NEWER_PROGRAM") is ReasonClass.DATA


async def test_figures_name_no_message_and_count_what_was_made(node: Node) -> None:
    made = await given_delivered(node, after_seconds=0.5)
    gathering = GatherFigures(node.store, node.trust, node.clock, ("rs.ncp",), EVERY)

    figures = await gathering.gather()

    values = {(one.name, *one.labels.values()): one.value for one in figures}
    assert values["ncp_bridge_messages_made",] == 1
    assert values["ncp_bridge_delivery_seconds", "0.95"] == 0.5
    assert values["ncp_bridge_database_up",] == 1
    assert made not in repr(figures)


async def test_figures_are_told_again_for_a_while_and_a_dead_database_is_one_of_them(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    gathering = GatherFigures(node.store, node.trust, node.clock, ("rs.ncp",), EVERY)
    first = await gathering.gather()
    assert await gathering.gather() is first

    def gone() -> None:
        raise UnavailableError("E_DATABASE", "gone")

    monkeypatch.setattr(node.store, "reading", gone)
    gathering._at = None

    assert [(one.name, one.value) for one in await gathering.gather()] == [("ncp_bridge_database_up", 0)]


async def test_a_test_message_goes_to_one_peer_and_is_marked_as_one(node: Node) -> None:
    async def sending() -> object:
        return node.sending()

    submitted = await TryPeer(sending).send("at.ncp", sender="rs.ncp", by="op")  # type: ignore[arg-type]

    async with node.store.reading() as unit:
        stored = await unit.ledger.get(submitted.id)
        entries = await unit.audit.list(action="peer.tested")
    assert stored is not None
    assert (stored.status, [to.id for to in stored.recipients]) == ("exercise", ["at.ncp"])
    assert [(entry.actor, entry.detail["peer"]) for entry in entries] == [("op", "at.ncp")]


@pytest.mark.parametrize("peer", ["rs.ncp", "xx.ncp", ""])
async def test_a_test_message_to_nobody_is_refused(node: Node, peer: str) -> None:
    async def sending() -> object:
        return node.sending()

    with pytest.raises(BadInputError, match="another contact point"):
        await TryPeer(sending).send(peer, sender="rs.ncp", by="op")  # type: ignore[arg-type]


async def test_who_was_never_heard_is_said_so_although_its_silence_counts(node: Node) -> None:
    async with node.store.writing() as unit:
        await unit.peers.note_heartbeats("rs.ncp", ["at.ncp", "hu.ncp"], START)
        await unit.peers.hear("rs.ncp", {"hu.ncp": START + timedelta(seconds=1)})

    async with node.store.reading() as unit:
        seen = await unit.peers.seen(["rs.ncp"])
    by_id = {one.id: one.heard_at for one in (await look(node)).peers}

    assert {peer: one.was_heard for (_, peer), one in seen.items()} == {"at.ncp": False, "hu.ncp": True}
    assert by_id["at.ncp"] is None
