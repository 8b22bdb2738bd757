"""Figures of queues from a real broker: by an account that may only look, and by asking the queues."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import aio_pika
import pytest
from servers.broker_fixtures import VirtualHost

from bridge.adapters.amqp.figures import figures_by_asking, figures_of_monitoring
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.management import Management
from bridge.core.errors import UnavailableError

QUEUES = ("inbox.at.ncp.urgent", "inbox.at.ncp.normal")
SECONDS = 30


async def given_messages(vhost: VirtualHost, queue: str, count: int) -> None:
    async with await aio_pika.connect(vhost.admin_url) as connection:
        channel = await connection.channel()
        for _ in range(count):
            await channel.default_exchange.publish(aio_pika.Message(b"waits"), queue)


@pytest.fixture
def monitor_url(vhost: VirtualHost) -> Iterator[str]:
    """The management API with an account of the tag `monitoring`, whose permissions match nothing."""
    admin, name, password = Management.at(vhost.broker.management_url), f"look-{secrets.token_hex(4)}", "only-looks"
    admin.request("PUT", f"/api/users/{name}", {"password": password, "tags": "monitoring"})
    nothing = {"configure": "^$", "write": "^$", "read": "^$"}
    admin.request("PUT", f"/api/permissions/{vhost.name}/{name}", nothing)
    place = vhost.broker.management_url.rpartition("@")[2]
    yield f"http://{name}:{password}@{place}"
    admin.delete("users", name)


async def test_the_queues_themselves_tell_what_is_ready_and_who_consumes(vhost: VirtualHost) -> None:
    await given_messages(vhost, QUEUES[1], 2)

    login = Login((vhost.url("at-inbox-ncp"),))
    urgent, normal = await figures_by_asking(login, QUEUES)

    assert (urgent.ready, urgent.consumers, urgent.unacknowledged) == (0, 0, None)
    assert (normal.ready, normal.in_per_second) == (2, None)


async def test_an_account_that_may_only_look_sees_what_is_in_work_too(vhost: VirtualHost, monitor_url: str) -> None:
    await given_messages(vhost, QUEUES[1], 3)
    async with await aio_pika.connect(vhost.admin_url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=1)
        queue = await channel.get_queue(QUEUES[1])
        taken = asyncio.Event()

        async def take(_: object) -> None:  # and never acknowledge it
            taken.set()

        await queue.consume(take)
        async with asyncio.timeout(SECONDS):  # the management API looks every five seconds
            await taken.wait()
            while (  # noqa: ASYNC110 - the broker tells nobody
                found := await figures_of_monitoring(monitor_url, vhost.name, QUEUES)
            )[1].unacknowledged != 1:
                await asyncio.sleep(0.2)

    assert (found[1].ready, found[1].consumers) == (2, 1)


async def test_a_queue_that_is_not_there_has_no_figures(vhost: VirtualHost, monitor_url: str) -> None:
    (found,) = await figures_of_monitoring(monitor_url, vhost.name, ["inbox.nobody.urgent"])

    assert (found.ready, found.consumers) == (None, None)


async def test_a_broker_that_is_not_there_is_said_so() -> None:
    with pytest.raises(UnavailableError) as gone:
        await figures_of_monitoring("http://look:only-looks@127.0.0.1:1", "/", QUEUES)

    assert gone.value.code == "E_BROKER_UNREACHABLE"
