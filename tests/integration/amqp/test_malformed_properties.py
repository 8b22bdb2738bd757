"""A member's malformed AMQP properties stop nobody's queue: the message arrives, and the one behind it too."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import aio_pika
import pytest
from aiormq.abc import ChannelFrame
from amqp_world import KEY, SECONDS, publish_raw, subscribing, taken, until_depth

from bridge.core import broker_names as names

if TYPE_CHECKING:
    from servers.broker_fixtures import VirtualHost

# Flags of the content header (AMQP 0-9-1, basic class), from the highest bit down.
CONTENT_TYPE, HEADERS, CORRELATION_ID, TIMESTAMP = 1 << 15, 1 << 13, 1 << 10, 1 << 6
BAD_UTF8 = b"\xc3\x28\xff"


def short(text_bytes: bytes) -> bytes:
    return bytes([len(text_bytes)]) + text_bytes


def table(entries_bytes: bytes) -> bytes:
    return struct.pack(">I", len(entries_bytes)) + entries_bytes


def nested(depth: int) -> bytes:
    inner = b""
    for _ in range(depth):
        inner = short(b"a") + b"F" + table(inner)
    return table(inner)


MALFORMED = {
    "a short string that is no UTF-8": (CONTENT_TYPE | CORRELATION_ID, short(BAD_UTF8) + short(BAD_UTF8)),
    "a header's name that is no UTF-8": (HEADERS, table(short(BAD_UTF8) + b"t\x01")),
    "headers nested beyond any stack": (HEADERS, nested(6000)),
    "a timestamp beyond the calendar": (TIMESTAMP, b"\xff" * 8),
}


async def publish_frames(vhost: VirtualHost, flags: int, properties_bytes: bytes, body_bytes: bytes) -> None:
    """Publishes with a content header made by hand, as a hostile member's program may."""
    async with await aio_pika.connect(vhost.url("rs-relay"), timeout=SECONDS) as connection:
        assert connection.transport is not None
        channel = await connection.transport.connection.channel(publisher_confirms=False)
        number = channel.number
        method = (
            struct.pack(">HHH", 60, 40, 0) + short(names.ingress_exchange("rs").encode()) + short(KEY.encode()) + b"\0"
        )
        header = struct.pack(">HHQH", 60, 0, len(body_bytes), flags) + properties_bytes
        frames = b"".join(
            struct.pack(">BHI", kind, number, len(payload)) + payload + b"\xce"
            for kind, payload in ((1, method), (2, header), (3, body_bytes))
        )
        await channel.write_queue.put(ChannelFrame(frames, should_close=False))
        await channel.close()


@pytest.mark.parametrize("malformed", MALFORMED.values(), ids=MALFORMED)
async def test_a_message_with_malformed_properties_arrives_and_so_does_the_next(
    vhost: VirtualHost, malformed: tuple[int, bytes]
) -> None:
    # given
    await publish_frames(vhost, *malformed, b"malformed")
    await publish_raw(vhost, b"healthy", correlation_id="healthy")

    # when
    async with subscribing(vhost) as consumer:
        first, second = await taken(consumer, 2)

    # then
    assert (first.wire_bytes, second.wire_bytes) == (b"malformed", b"healthy")
    assert second.hints.correlation_id == "healthy"
    await until_depth(vhost, "country.at.normal", 0)


async def test_headers_that_cannot_be_read_count_as_the_worst_that_could_stand_in_them(vhost: VirtualHost) -> None:
    # given
    await publish_frames(vhost, *MALFORMED["headers nested beyond any stack"], b"malformed")

    # when
    async with subscribing(vhost) as consumer:
        (delivery,) = await taken(consumer, 1)

    # then
    assert delivery.hints.copied
