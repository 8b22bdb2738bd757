"""The publisher on a real broker: every publication gets its own verdict, and a confirmed one is in a queue."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import aio_pika
import pytest
from amqp_world import (
    KEY,
    NORMAL,
    SENT,
    URGENT,
    URGENT_KEY,
    cut_connections,
    delete,
    eventually,
    publication,
    publications,
    publishing,
    set_policy,
    subscribing,
    taken,
    until_depth,
)

from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError
from bridge.ports.broker import PublishOutcome

if TYPE_CHECKING:
    from aiormq.channel import Channel
    from servers.broker_fixtures import VirtualHost

CONFIRMED, UNROUTABLE = PublishOutcome.CONFIRMED, PublishOutcome.UNROUTABLE
REFUSED, UNKNOWN = PublishOutcome.REFUSED, PublishOutcome.UNKNOWN
NOBODYS_KEY = names.alert_key("rs", "zz", lane="normal", kind="route_alert")


def channel_of(publisher: AmqpPublisher) -> Channel:
    """The publisher shows its channel to nobody; whether it opens a new one is what some tests are about."""
    channel = publisher._channel
    assert channel is not None
    return channel


async def test_a_batch_is_confirmed_in_order_and_arrives_with_the_properties_of_the_wire_format(
    vhost: VirtualHost,
) -> None:
    # given
    batch = [*publications(250), publication(b"urgent", routing_key=URGENT_KEY)]

    # when
    async with publishing(vhost) as publisher:
        outcomes = await publisher.publish(batch)

    # then
    assert outcomes == [CONFIRMED] * 251
    async with subscribing(vhost) as consumer:
        arrived = await taken(consumer, 251)
    (urgent,) = [delivery for delivery in arrived if delivery.queue == URGENT]
    others = [delivery for delivery in arrived if delivery.queue == NORMAL]
    assert (urgent.wire_bytes, urgent.hints.routing_key) == (b"urgent", URGENT_KEY)
    assert [delivery.wire_bytes for delivery in others] == [item.wire_bytes for item in batch[:250]]
    hints = others[0].hints
    assert (hints.correlation_id, hints.type, hints.app_id, hints.routing_key) == ("id-1", "route_alert", "rs.ncp", KEY)
    assert (hints.user_id, hints.copied) == (None, False)


async def test_messages_are_persistent_and_named_by_their_row(vhost: VirtualHost) -> None:
    # given
    sent = publication()

    # when
    async with publishing(vhost) as publisher:
        assert await publisher.publish([sent]) == [CONFIRMED]

    # then
    async with await aio_pika.connect(vhost.url("at-router")) as connection:
        queue = await (await connection.channel()).get_queue(NORMAL, ensure=False)
        message = await queue.get(timeout=5)
        assert message is not None
        assert (message.message_id, message.delivery_mode, message.timestamp) == (sent.row_id, 2, SENT)
        assert message.content_type == "application/jose+json"
        assert not message.headers.keys() - {"x-delivery-count"}  # the broker's own, on a first delivery with 3.10
        await message.ack()


async def test_many_messages_go_out_in_few_writes(vhost: VirtualHost, monkeypatch: pytest.MonkeyPatch) -> None:
    async with publishing(vhost) as publisher:
        # given
        await publisher.publish([publication()])
        channel = channel_of(publisher)
        writes = []
        put = channel.write_queue.put

        async def counted(frame: object) -> None:
            writes.append(frame)
            await put(frame)

        monkeypatch.setattr(channel.write_queue, "put", counted)

        # when
        outcomes = await publisher.publish(publications(100))

    # then
    assert outcomes == [CONFIRMED] * 100
    assert len(writes) == 4


async def test_an_unroutable_message_is_told_from_its_neighbours_although_all_carry_the_same_message(
    vhost: VirtualHost,
) -> None:
    # given
    batch = [publication(routing_key=KEY if number % 3 else NOBODYS_KEY) for number in range(60)]

    # when
    async with publishing(vhost) as publisher:
        outcomes = await publisher.publish(batch)

    # then
    assert outcomes == [CONFIRMED if number % 3 else UNROUTABLE for number in range(60)]
    await until_depth(vhost, NORMAL, 40)


@pytest.mark.parametrize(
    ("exchange", "key"),
    [("from.at", KEY), ("from.nobody", KEY), ("from.rs", "at.rs.normal.route_alert"), ("", NORMAL)],
    ids=["a foreign exchange", "a missing exchange", "a key in another's name", "the default exchange"],
)
async def test_a_publish_that_closes_the_channel_takes_down_only_itself(
    vhost: VirtualHost, exchange: str, key: str
) -> None:
    # given
    batch = publications(30)
    batch[11] = publication(exchange=exchange, routing_key=key)

    # when
    async with publishing(vhost) as publisher:
        outcomes = await publisher.publish(batch)

    # then: arrived, at least once each
    assert outcomes == [CONFIRMED] * 11 + [REFUSED] + [CONFIRMED] * 18
    async with subscribing(vhost) as consumer:
        arrived: set[bytes] = set()
        while len(arrived) < 29:
            arrived |= {delivery.wire_bytes for delivery in await taken(consumer, 1)}
    assert arrived == {item.wire_bytes for item in batch} - {b"{}"}


async def test_what_fits_no_frame_is_refused_and_holds_up_nobody(vhost: VirtualHost) -> None:
    # given
    batch = publications(5)
    batch[1] = publication(routing_key="rs.at.normal." + "x" * 300)
    batch[3] = publication(kind="\ud800")

    # when
    async with publishing(vhost) as publisher:
        outcomes = await publisher.publish(batch)
        alone = await publisher.publish([batch[3]])

    # then
    assert outcomes == [CONFIRMED, REFUSED, CONFIRMED, REFUSED, CONFIRMED]
    assert alone == [REFUSED]
    await until_depth(vhost, NORMAL, 3)


async def test_a_full_queue_refuses_and_takes_again_once_there_is_room(vhost: VirtualHost) -> None:
    # given
    await asyncio.to_thread(set_policy, vhost, "small", f"^{NORMAL}$", {"max-length": 2, "overflow": "reject-publish"})

    async with publishing(vhost) as publisher:

        async def is_full() -> bool:
            return await publisher.publish([publication()]) == [REFUSED]

        async def has_room() -> bool:
            return await publisher.publish([publication()]) == [CONFIRMED]

        await eventually(is_full)

        # when
        outcomes = await publisher.publish(publications(20))
        channel = channel_of(publisher)

        # then: a new channel after nacks in a row
        assert outcomes == [REFUSED] * 20
        await asyncio.to_thread(delete, vhost, "policies", "small")
        await eventually(has_room)
        assert channel_of(publisher) is not channel


async def test_large_messages_travel_over_many_frames(vhost: VirtualHost) -> None:
    # given
    bodies = [b"a" * (1024 * 1024), b"", b"b" * (128 * 1024 - 8), b"c" * (128 * 1024 - 7), b"d" * (3 * 128 * 1024)]

    # when
    async with publishing(vhost) as publisher:
        outcomes = await publisher.publish([publication(body) for body in bodies])

    # then
    assert outcomes == [CONFIRMED] * 5
    async with subscribing(vhost) as consumer:
        assert [delivery.wire_bytes for delivery in await taken(consumer, 5)] == bodies


async def test_an_empty_batch_needs_no_broker(vhost: VirtualHost) -> None:
    async with publishing(vhost, deadline_seconds=0.1) as publisher:
        assert await publisher.publish([]) == []


async def test_publishing_goes_on_after_the_connection_was_cut_and_loses_no_verdict(vhost: VirtualHost) -> None:
    async with publishing(vhost) as publisher:
        # given
        rows = publications(2000)
        assert await publisher.publish(rows[:1]) == [CONFIRMED]
        confirmed: set[str] = set()

        # when: one batch after the other, as the relay does, while the connection is cut
        cutting = asyncio.create_task(cut_connections(vhost))
        while not cutting.done() or len(confirmed) < len(rows):
            due = [row for row in rows if row.row_id not in confirmed][:200] or rows[:200]
            with contextlib.suppress(UnavailableError):
                outcomes = await publisher.publish(due)
                assert set(outcomes) <= {CONFIRMED, UNKNOWN}
                confirmed |= {row.row_id for row, told in zip(due, outcomes, strict=True) if told is CONFIRMED}
        await cutting

    # then: whatever was confirmed is there
    async with subscribing(vhost) as consumer:
        arrived: set[bytes] = set()
        while len(arrived) < 2000:
            arrived |= {delivery.wire_bytes for delivery in await taken(consumer, 1)}
    assert arrived == {row.wire_bytes for row in rows}


async def test_confirms_that_die_with_their_channel_are_unknown(vhost: VirtualHost) -> None:
    async with publishing(vhost) as publisher:
        # given
        await publisher.publish([publication()])
        channel = channel_of(publisher)
        channel._confirm_delivery = lambda *_: None  # type: ignore[method-assign] # the confirm is lost on its way

        # when
        publishing_task = asyncio.create_task(publisher.publish(publications(3)))
        await asyncio.sleep(0.1)
        await channel.close()

        # then: never "not delivered", since they were
        assert await publishing_task == [UNKNOWN] * 3
        assert await publisher.publish([publication()]) == [CONFIRMED]
    await until_depth(vhost, NORMAL, 5)


async def test_a_publish_given_up_opens_a_new_channel_so_that_its_late_verdict_meets_nobody(vhost: VirtualHost) -> None:
    async with publishing(vhost, deadline_seconds=0.3) as publisher:
        # given
        await publisher.publish([publication()])
        channel = channel_of(publisher)
        channel._confirm_delivery = lambda *_: None  # type: ignore[method-assign] # as above
        row = publication()

        # when
        assert await publisher.publish([row]) == [UNKNOWN]

        # then
        assert await publisher.publish([row]) == [CONFIRMED]
        assert channel_of(publisher) is not channel


async def test_without_a_connection_nothing_is_written_and_the_reason_is_told(vhost: VirtualHost) -> None:
    # given
    url = vhost.url("rs-relay").replace("of-a-throw-away-broker", "wrong")
    async with AmqpSession(url, name="test", deadline_seconds=0.5) as session:
        publisher = AmqpPublisher(session)

        # when, then
        with pytest.raises(UnavailableError) as caught:
            await publisher.publish([publication()])
    assert caught.value.code == "E_BROKER_CREDENTIALS"
