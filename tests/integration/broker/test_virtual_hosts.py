"""The virtual host and the database that a test gets are its own, with the topology on it, and gone afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import aio_pika
import aiormq.exceptions
import asyncpg
import pytest

from bridge.adapters.amqp.management import Management
from bridge.core import broker_names as names
from broker import Access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.broker_fixtures import MakeVirtualHost, VirtualHost
    from servers.postgres_fixtures import MakeDatabase


async def test_a_relay_reaches_the_queues_of_the_country_it_writes_to(vhost: VirtualHost) -> None:
    # given
    account = names.relay_account("rs")
    key = names.alert_key("rs", "at", lane="urgent", kind="route_alert")

    # when
    async with await aio_pika.connect(vhost.url(account)) as connection:
        channel = await connection.channel(on_return_raises=True)
        exchange = await channel.get_exchange(names.ingress_exchange("rs"), ensure=False)
        await exchange.publish(aio_pika.Message(b"{}"), key, mandatory=True, timeout=10)

    # then
    async with await aio_pika.connect(vhost.url(names.router_account("at"))) as connection:
        channel = await connection.channel()
        queue = await channel.get_queue(names.country_queue("at", "urgent"), ensure=False)
        message = await queue.get(timeout=10)
        assert message is not None
        assert message.routing_key == key
        await message.ack()


async def test_an_account_has_no_access_to_another_tests_virtual_host(
    make_vhost: MakeVirtualHost, broker_node: Access
) -> None:
    # given
    make_vhost({"rs": ["rs.ncp"]})
    other = make_vhost({"at": ["at.ncp"]})

    # when, then
    url = broker_node.amqp_url(other.name, names.relay_account("rs"), "of-a-throw-away-broker")
    with pytest.raises(aiormq.exceptions.AMQPError):
        await aio_pika.connect(url)


@pytest.fixture
def names_after_the_test(broker_node: Access) -> Iterator[set[str]]:
    """Collects names of virtual hosts and checks that they are gone when `make_vhost` has cleaned up."""
    made: set[str] = set()
    yield made
    _, answer_bytes = Management.at(broker_node.management_url).request("GET", "/api/vhosts")
    assert made
    assert not [name for name in made if name.encode() in answer_bytes]


def test_a_virtual_host_is_deleted_after_its_test(names_after_the_test: set[str], make_vhost: MakeVirtualHost) -> None:
    names_after_the_test.add(make_vhost({"rs": ["rs.ncp"]}).name)


async def test_each_database_is_empty_and_its_own(make_postgres_database: MakeDatabase) -> None:
    # given
    first, second = make_postgres_database(), make_postgres_database()

    # when
    connection = await asyncpg.connect(first)
    await connection.execute("CREATE TABLE mine (id integer)")
    await connection.close()

    # then
    connection = await asyncpg.connect(second)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    await connection.close()
    assert tables == []
