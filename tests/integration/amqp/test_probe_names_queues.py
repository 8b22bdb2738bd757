"""The node that reads a queue names it when it is full or missing."""

from __future__ import annotations

import aio_pika
import pytest
from servers.broker_fixtures import VirtualHost

from bridge.adapters.amqp.probe import probe_broker
from bridge.core.errors import UnavailableError

QUEUES = ("inbox.at.ncp.urgent", "inbox.at.ncp.normal")


async def given_messages(vhost: VirtualHost, queue: str, count: int) -> None:
    async with await aio_pika.connect(vhost.admin_url) as connection:
        channel = await connection.channel()
        for _ in range(count):
            await channel.default_exchange.publish(aio_pika.Message(b"waits"), queue)


async def test_a_queue_is_named_as_soon_as_it_is_full(vhost: VirtualHost) -> None:
    await given_messages(vhost, QUEUES[1], 3)

    assert "3 messages waiting" in await probe_broker(vhost.url("at-inbox-ncp"), queues=QUEUES, full_at=4)
    with pytest.raises(UnavailableError, match=r"full, .*inbox\.at\.ncp\.normal \(3\)") as refused:
        await probe_broker(vhost.url("at-inbox-ncp"), queues=QUEUES, full_at=3)

    assert refused.value.code == "E_BROKER_QUEUE_FULL"
    assert QUEUES[0] not in refused.value.message


async def test_a_deleted_queue_is_named(vhost: VirtualHost) -> None:
    async with await aio_pika.connect(vhost.admin_url) as connection:
        await (await connection.channel()).queue_delete(QUEUES[0])

    with pytest.raises(UnavailableError, match=r"inbox\.at\.ncp\.urgent") as missing:
        await probe_broker(vhost.url("at-inbox-ncp"), queues=QUEUES)

    assert missing.value.code == "E_BROKER_MISSING"
