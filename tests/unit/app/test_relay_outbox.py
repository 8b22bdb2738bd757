"""The relay: a row is sent once the broker has said so, and until then it goes out again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest
from bridge_node import Node
from bridge_world import START, Sent, alert

from bridge.app.receiving.answering import outbox_row
from bridge.app.sending.relay_outbox import LEASE_SECONDS, LONGEST_RETRY_SECONDS
from bridge.core.errors import UnavailableError
from bridge.ports.broker import Publication, PublishOutcome


async def given_rows(node: Node, *messages: Sent) -> None:
    """One row per destination country of each message, as submitting leaves them."""
    await node.given_sent(*messages)
    async with node.store.writing() as unit:
        for sent in messages:
            own, lane = sent.addressing, "urgent" if sent.addressing.urgency == "immediate" else "normal"
            countries = sorted({to[:2] for to in own.to})
            await unit.outbox.add(
                [outbox_row(own, sent.made.wire_bytes, country=to, lane=lane, ids=node.ids) for to in countries]
            )


async def backlog(node: Node, relay: str = "publisher") -> int:
    async with node.store.reading() as unit:
        return (await unit.outbox.backlog(relay))[0]


async def test_what_is_confirmed_is_sent_once_and_its_recipients_are_sent_to(node: Node) -> None:
    sent = alert(to=["at.ncp", "at.border-police", "hu.ncp"])
    await given_rows(node, sent)

    assert [await node.relay().relay_once() for _ in range(2)] == [2, 0]

    published = node.publisher.published
    assert [one.routing_key for one in published] == ["rs.at.urgent.route_alert", "rs.hu.urgent.route_alert"]
    assert {one.wire_bytes for one in published} == {sent.made.wire_bytes}
    assert len({one.row_id for one in published}) == 2
    assert {(to.state, to.sent_at) for to in (await node.sent(sent.id)).recipients} == {("sent", START)}
    assert await backlog(node) == 0


async def test_urgent_messages_overtake_a_backlog(node: Node) -> None:
    normal, urgent = alert(urgency="expected"), alert()
    await given_rows(node, normal, urgent)

    for _ in range(2):
        await node.relay(batch=1).relay_once()

    assert [one.message_id for one in node.publisher.published] == [urgent.id, normal.id]


class Killed(Exception):  # noqa: N818 - an event in the test
    """The process ends here."""


async def test_killed_between_publish_and_mark_the_row_goes_out_again_with_the_same_bytes(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = alert()
    await given_rows(node, sent)

    async def be_killed(*_: object, **__: object) -> int:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr("bridge.adapters.store.outbox.SqlOutbox.mark_sent", be_killed)
        with pytest.raises(Killed):
            await node.relay().relay_once()
    assert (await node.sent(sent.id)).recipients[0].state == "pending"

    node.clock.advance(LEASE_SECONDS - 1)
    assert await node.relay().relay_once() == 0
    node.clock.advance(1)
    assert await node.relay().relay_once() == 1

    first, second = node.publisher.published
    assert first == second
    assert await backlog(node) == 0


@pytest.mark.parametrize("outcome", [PublishOutcome.UNROUTABLE, PublishOutcome.REFUSED, PublishOutcome.UNKNOWN])
async def test_what_is_not_confirmed_stays_says_why_and_goes_out_again(node: Node, outcome: PublishOutcome) -> None:
    sent = alert(to=["at.ncp", "hu.ncp"])
    await given_rows(node, sent)
    node.publisher.outcomes["rs.at.urgent.route_alert"] = outcome

    assert await node.relay().relay_once() == 1

    assert {to.id: to.state for to in (await node.sent(sent.id)).recipients} == {"at.ncp": "pending", "hu.ncp": "sent"}
    assert await backlog(node) == 1
    node.clock.advance(0.5)
    (row,) = await node.new_rows()
    assert (row.country, row.attempts, row.last_error) == ("at", 1, outcome.value)


async def test_patience_grows_up_to_its_limit_and_never_ends(node: Node) -> None:
    await given_rows(node, alert())
    node.publisher.outcomes["rs.at.urgent.route_alert"] = PublishOutcome.UNROUTABLE
    waits = []
    for _ in range(14):
        await node.relay().relay_once()
        attempts, waited = len(node.publisher.published), 0.0
        while len(node.publisher.published) == attempts:
            step = max(0.05, waited * 0.1)
            node.clock.advance(step)
            waited += step
            await node.relay().relay_once()
        waits.append(waited)

    assert waits[0] <= 1
    assert waits[6] > 8
    assert LONGEST_RETRY_SECONDS / 2 <= waits[-1] <= LONGEST_RETRY_SECONDS * 1.2


async def test_a_broker_that_is_away_is_reported_and_costs_nothing_but_time(node: Node) -> None:
    messages = [alert() for _ in range(3)]
    await given_rows(node, *messages)
    node.publisher.is_away = True

    with pytest.raises(UnavailableError):
        await node.relay().relay_once()
    assert await backlog(node) == 3

    node.publisher.is_away = False
    node.clock.advance(0.5)
    assert await node.relay().relay_once() == 3
    assert [one.message_id for one in node.publisher.published] == [message.id for message in messages]


async def test_two_relays_share_the_rows_and_publish_each_once(node: Node) -> None:
    await given_rows(node, *(alert() for _ in range(20)))

    counts = await asyncio.gather(*(node.relay(batch=3).relay_once() for _ in range(8)))

    assert sum(counts) == 20
    assert len({one.row_id for one in node.publisher.published}) == len(node.publisher.published) == 20


async def test_the_subscribers_relay_leaves_the_publishers_rows_alone(node: Node) -> None:
    sent = alert()
    await given_rows(node, sent)

    assert await node.relay("subscriber").relay_once() == 0
    assert node.publisher.published == []


async def test_a_publication_says_what_the_row_says(node: Node) -> None:
    sent = alert()
    await given_rows(node, sent)

    await node.relay().relay_once()

    (published,) = node.publisher.published
    assert replace(published, row_id="") == Publication(
        row_id="",
        exchange="from.rs",
        routing_key="rs.at.urgent.route_alert",
        wire_bytes=sent.made.wire_bytes,
        kind="route_alert",
        sender="rs.ncp",
        message_id=sent.id,
        sent=START,
    )


async def test_a_broker_that_is_away_costs_a_row_no_patience(node: Node) -> None:
    await given_rows(node, alert())
    node.publisher.is_away = True
    for _ in range(3):
        with pytest.raises(UnavailableError):
            await node.relay().relay_once()

    node.publisher.is_away = False

    assert await node.relay().relay_once() == 1


async def test_cancelled_while_it_publishes_it_gives_the_rows_back(node: Node) -> None:
    # given
    sent = alert()
    await given_rows(node, sent)
    publisher = Slow()
    task = asyncio.create_task(replace(node.relay(), publisher=publisher).relay_once())
    await publisher.begun.wait()
    assert await node.relay().relay_once() == 0

    # when
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    # then
    assert task.cancelled()
    assert (await node.sent(sent.id)).recipients[0].code == "E_PUBLISH_UNKNOWN"  # the broker may have it
    assert await node.relay().relay_once() == 1


async def test_a_lease_lasts_as_long_as_its_publish(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    # given: a publish that takes longer than a lease
    monkeypatch.setattr("bridge.app.sending.relay_outbox.RENEW_SECONDS", 0.01)
    await given_rows(node, alert())
    publisher = Slow()
    task = asyncio.create_task(replace(node.relay(), publisher=publisher).relay_once())
    await publisher.begun.wait()

    # when
    for _ in range(3):
        node.clock.advance(LEASE_SECONDS - 1)
        await asyncio.sleep(0.1)
        assert await node.relay().relay_once() == 0

    # then
    publisher.go_on.set()
    assert await task == 1
    assert await backlog(node) == 0


async def test_an_urgent_row_waits_for_no_batch_of_normal_ones(node: Node) -> None:
    # given: normal rows that a slow broker takes its time for
    await given_rows(node, *(alert(urgency="expected") for _ in range(3)))
    publisher = Slow()
    normal = asyncio.create_task(replace(node.relay(), publisher=publisher, lane="normal").relay_once())
    await publisher.begun.wait()

    # when
    urgent = alert()
    await given_rows(node, urgent)

    # then
    assert await replace(node.relay(), lane="urgent").relay_once() == 1
    assert [one.message_id for one in node.publisher.published] == [urgent.id]
    publisher.go_on.set()
    assert await normal == 3


async def test_while_the_clock_may_be_wrong_nothing_is_given_up(node: Node) -> None:
    # given: by this clock, it has expired
    await given_rows(node, alert())
    node.clock.advance(400 * 86400)

    # when, then
    assert await replace(node.relay(), clock_is_trusted=lambda: False).relay_once() == 1
    assert len(node.publisher.published) == 1
    assert await node.audit("message.expired") == []


async def test_once_a_queue_has_room_again_what_it_refused_waits_no_longer(node: Node) -> None:
    # given rows in back-off of minutes, one of them to another country
    await given_rows(node, *(alert() for _ in range(5)), alert(to=["hu.ncp"]))
    for key in ("rs.at.urgent.route_alert", "rs.hu.urgent.route_alert"):
        node.publisher.outcomes[key] = PublishOutcome.REFUSED
    for _ in range(11):
        node.clock.advance(LONGEST_RETRY_SECONDS)
        await node.relay().relay_once()
    assert await backlog(node) == 6

    # when there is room, and the turn of the first one has come
    del node.publisher.outcomes["rs.at.urgent.route_alert"]
    relay, sent = node.relay(), 0
    while not sent:
        node.clock.advance(0.5)
        sent = await relay.relay_once()

    # then the others to that country go at once, and no more
    while more := await relay.relay_once():
        sent += more
    assert sent == 5
    assert await backlog(node) == 1


async def test_an_outbox_in_which_nothing_changes_is_not_looked_into(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    relay, looks, reading = node.relay(), list[int](), node.store.reading
    await relay.relay_once()
    monkeypatch.setattr(node.store, "reading", lambda: (looks.append(1), reading())[1])

    # when nothing is there, and nobody writes
    assert [await relay.relay_once() for _ in range(3)] == [0, 0, 0]
    assert looks == []

    # then what somebody writes goes out, and so does what comes due by itself
    await given_rows(node, alert())
    node.publisher.outcomes["rs.at.urgent.route_alert"] = PublishOutcome.REFUSED
    await relay.relay_once()
    assert [await relay.relay_once() for _ in range(3)] == [0, 0, 0]
    assert len(looks) == 2
    del node.publisher.outcomes["rs.at.urgent.route_alert"]
    node.clock.advance(0.5)
    assert await relay.relay_once() == 1

    # and a clock that was set back lets nothing wait
    await relay.relay_once()
    assert relay.rests()
    node.clock.advance(-3600)
    assert not relay.rests()


class Slow:
    """A broker that confirms nothing until it is told to."""

    def __init__(self) -> None:
        self.begun, self.go_on = asyncio.Event(), asyncio.Event()

    async def publish(self, batch: Sequence[Publication]) -> Sequence[PublishOutcome]:
        self.begun.set()
        await self.go_on.wait()
        return [PublishOutcome.CONFIRMED] * len(batch)
