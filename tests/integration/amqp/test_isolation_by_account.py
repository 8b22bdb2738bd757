"""What each account of a member can reach on the broker, in each direction, and what all of them can see of others.

`test_isolation` has exchanges and queues of others and forged headers at the ingress. Here: the ways around them. One
virtual host serves the whole module, as nothing here leaves anything behind.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http.client
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import quote

import aio_pika
import aiormq.exceptions
import pytest
from amqp_world import NORMAL, SECONDS, depths, management
from servers.broker_fixtures import PASSWORD, VirtualHost, topology_of

from bridge.adapters.amqp.definitions import definitions
from bridge.adapters.amqp.probe import probe_broker
from bridge.adapters.amqp.topology import MAX_CHANNELS, MAX_CONNECTIONS, account_names
from bridge.core import broker_names as names
from bridge.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aio_pika.abc import AbstractChannel

    from broker import Access

    Attempt = Callable[[AbstractChannel], Awaitable[object]]

COUNTRIES = {"rs": ["rs.ncp"], "at": ["at.ncp"]}
ACCOUNTS = account_names("rs", COUNTRIES["rs"])
OWN_QUEUES = (*names.country_queues("rs"), *names.inbox_queues("rs.ncp"))
BUILT_IN = ("amq.direct", "amq.topic", "amq.fanout", "amq.headers", "amq.match")
INBOX = names.inbox_queue("at.ncp", "normal")


@pytest.fixture(scope="module")
def shared(broker_node: Access) -> Iterator[VirtualHost]:
    """Serbia and Austria on one virtual host, for all tests of this module."""
    name = f"test-isolation-{secrets.token_hex(4)}"
    passwords = {account: PASSWORD for prefix, points in COUNTRIES.items() for account in account_names(prefix, points)}
    broker_node.create_vhost(name)
    vhost = VirtualHost(name, broker_node, COUNTRIES, passwords)
    management(vhost).load(definitions(topology_of(COUNTRIES, passwords), vhost=name))
    yield vhost
    broker_node.delete_vhost(name)


def publish(exchange: str, key: str, **properties: object) -> Attempt:
    async def attempt(channel: AbstractChannel) -> object:
        target = await channel.get_exchange(exchange, ensure=False)
        return await target.publish(aio_pika.Message(b"{}", **properties), key, mandatory=False, timeout=SECONDS)  # type: ignore[arg-type] - by name

    return attempt


def bind(queue: str, *, undo: bool = False) -> Attempt:
    async def attempt(channel: AbstractChannel) -> object:
        found = await channel.get_queue(queue, ensure=False)
        if undo:
            return await found.unbind(names.ALERTS, "*.rs.normal.*")
        return await found.bind(names.ALERTS, "#")

    return attempt


def unbind_ingress(prefix: str) -> Attempt:
    async def attempt(channel: AbstractChannel) -> object:
        alerts = await channel.get_exchange(names.ALERTS, ensure=False)
        return await alerts.unbind(names.ingress_exchange(prefix), f"{prefix}.#")

    return attempt


def declare(queue: str) -> Attempt:
    async def attempt(channel: AbstractChannel) -> object:
        return await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})

    return attempt


def delete_exchange(name: str) -> Attempt:
    async def attempt(channel: AbstractChannel) -> object:
        return await channel.exchange_delete(name, timeout=SECONDS)

    return attempt


ATTEMPTS: dict[str, Attempt] = {
    **{f"publish to {name}": publish(name, NORMAL) for name in BUILT_IN},
    **{f"bind {queue} to everybody's alerts": bind(queue) for queue in (*OWN_QUEUES, NORMAL, INBOX)},
    **{f"unbind {queue}": bind(queue, undo=True) for queue in (NORMAL, names.country_queue("rs", "normal"))},
    **{f"unbind the ingress of {prefix}": unbind_ingress(prefix) for prefix in COUNTRIES},
    **{f"declare {queue} as it is": declare(queue) for queue in (NORMAL, INBOX, OWN_QUEUES[0])},
    **{
        f"delete the exchange {name}": delete_exchange(name)
        for name in (names.ALERTS, names.DEAD, names.ingress_exchange("at"), names.ingress_exchange("rs"))
    },
}


@pytest.mark.parametrize("account", ACCOUNTS)
async def test_no_account_gets_around_the_exchanges_and_queues_that_are_its_own(
    shared: VirtualHost, account: str
) -> None:
    allowed = []
    async with await aio_pika.connect(shared.url(account), timeout=SECONDS) as connection:
        for name, attempt in ATTEMPTS.items():
            channel = await connection.channel()
            try:
                await attempt(channel)
            except aiormq.exceptions.ChannelAccessRefused:
                continue
            allowed.append(name)

    assert allowed == []
    # everything is as it was: an alert of Austria's still reaches Serbia, and nobody else
    async with await aio_pika.connect(shared.url("at-relay"), timeout=SECONDS) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange(names.ingress_exchange("at"), ensure=False)
        key = names.alert_key("at", "rs", lane="normal", kind="route_alert")
        await exchange.publish(aio_pika.Message(b"{}"), key, mandatory=True, timeout=SECONDS)
    assert await taken_by(shared, "rs-router", names.country_queue("rs", "normal")) == 1
    assert await depths(shared, NORMAL, INBOX) == [0, 0]


@pytest.mark.parametrize("header", ["CC", "BCC"])
async def test_a_copy_header_in_a_countrys_own_inbox_exchange_reaches_nobody_elses_inbox(
    shared: VirtualHost, header: str
) -> None:
    async with await aio_pika.connect(shared.url("rs-router"), timeout=SECONDS) as connection:
        channel = await connection.channel()
        copies = {header: ["at.ncp.normal", NORMAL, INBOX, "*.at.normal.*"]}
        await publish(names.contact_points_exchange("rs"), "rs.ncp.normal", headers=copies)(channel)

    assert await taken_by(shared, "rs-inbox-ncp", names.inbox_queue("rs.ncp", "normal")) == 1
    assert await depths(shared, NORMAL, INBOX) == [0, 0]


async def test_each_account_can_do_its_own_work_and_read_nothing_more(shared: VirtualHost) -> None:
    reads = {
        "rs-relay": set(),
        "rs-router": set(names.country_queues("rs")),
        "rs-inbox-ncp": set(names.inbox_queues("rs.ncp")),
    }
    queues = [*OWN_QUEUES, *names.country_queues("at"), *names.inbox_queues("at.ncp")]

    found = {account: {queue for queue in queues if await may_read(shared, account, queue)} for account in reads}

    assert found == reads


async def test_another_virtual_host_is_closed_to_a_member(shared: VirtualHost) -> None:
    with pytest.raises(UnavailableError):
        await probe_broker(shared.broker.amqp_url("/", "rs-relay", PASSWORD))


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("path", ["/api/overview", "/api/queues", "/api/definitions", "/api/connections", "/api/users"])
def test_the_management_api_answers_no_member(shared: VirtualHost, account: str, path: str) -> None:
    assert asked(shared, account, "GET", path) == 401


def test_the_management_api_gives_no_member_a_message(shared: VirtualHost) -> None:
    where = f"/api/queues/{quote(shared.name, safe='')}/{NORMAL}"
    assert asked(shared, "rs-router", "POST", f"{where}/get") == 401
    assert asked(shared, "rs-router", "DELETE", f"{where}/contents") == 401
    assert asked(shared, "rs-router", "DELETE", where) == 401


async def test_names_and_depths_of_all_queues_can_be_seen_by_every_account(shared: VirtualHost) -> None:
    """No right is needed for it: what remains open on a shared broker, and `network exposure` says so."""
    async with await aio_pika.connect(shared.url("rs-relay"), timeout=SECONDS) as connection:
        channel = await connection.channel()
        seen = await channel.declare_queue(NORMAL, passive=True)

    assert seen.declaration_result.message_count == 0


async def test_an_account_has_so_many_connections_and_no_more(shared: VirtualHost) -> None:
    url = shared.url("rs-inbox-ncp")
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            await stack.enter_async_context(await aio_pika.connect(url, timeout=SECONDS))
        with pytest.raises(UnavailableError):
            await probe_broker(url)
        await probe_broker(shared.url("at-inbox-ncp"))  # nobody else has fewer for it


async def test_an_account_has_so_many_channels_and_no_more(shared: VirtualHost) -> None:
    opened = 0
    with contextlib.suppress(aiormq.exceptions.AMQPError, aio_pika.exceptions.AMQPError, asyncio.CancelledError):
        async with await aio_pika.connect(shared.url("rs-router"), timeout=SECONDS) as connection:
            for _ in range(MAX_CHANNELS + 1):
                await asyncio.wait_for(connection.channel(), SECONDS)
                opened += 1

    assert opened == MAX_CHANNELS


async def taken_by(vhost: VirtualHost, account: str, queue: str) -> int:
    """Empties the queue as its own reader; answers how many messages there were."""
    count = 0
    async with await aio_pika.connect(vhost.url(account), timeout=SECONDS) as connection:
        own = await (await connection.channel()).get_queue(queue, ensure=False)
        while (message := await own.get(timeout=SECONDS, fail=False)) is not None:
            await message.ack()
            count += 1
    return count


async def may_read(vhost: VirtualHost, account: str, queue: str) -> bool:
    async with await aio_pika.connect(vhost.url(account), timeout=SECONDS) as connection:
        wanted = await (await connection.channel()).get_queue(queue, ensure=False)
        try:
            await wanted.get(timeout=SECONDS, fail=False)
        except aiormq.exceptions.ChannelAccessRefused:
            return False
    return True


def asked(vhost: VirtualHost, account: str, method: str, path: str) -> int:
    """The status with which the management API answers an account."""
    basic = base64.b64encode(f"{account}:{PASSWORD}".encode()).decode()
    api = management(vhost)
    connection = http.client.HTTPConnection(api.host, api.port, timeout=SECONDS)
    try:
        connection.request(method, path, headers={"Authorization": f"Basic {basic}"})
        return connection.getresponse().status
    finally:
        connection.close()
