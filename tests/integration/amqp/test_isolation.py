"""What a member's account cannot do to the others, whatever its client; and what it can, which verification stops."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import aio_pika
import aiormq.exceptions
import pytest
from amqp_world import KEY, NORMAL, SECONDS, depths, management, publish_raw, subscribing, taken

from bridge.core import broker_names as names

if TYPE_CHECKING:
    from aio_pika.abc import AbstractChannel
    from servers.broker_fixtures import VirtualHost


@pytest.fixture
def vhost_countries() -> dict[str, list[str]]:
    return {"rs": ["rs.ncp", "rs.border-police"], "at": ["at.ncp"], "hr": ["hr.ncp"]}


Attempt = Callable[["AbstractChannel"], Awaitable[object]]

ACCOUNTS = ("rs-relay", "rs-router", "rs-inbox-ncp")
OWN = {
    "rs-relay": names.ingress_exchange("rs"),
    "rs-router": names.contact_points_exchange("rs"),
}
FOREIGN_QUEUES = (NORMAL, names.inbox_queue("at.ncp", "urgent"), names.dead_queue("at"))
COUSIN = "inbox.rs.border-police.normal"  # of another contact point of the same country


def to_exchange(name: str, key: str = KEY) -> Attempt:
    async def publish(channel: AbstractChannel) -> object:
        exchange = await channel.get_exchange(name, ensure=False) if name else channel.default_exchange
        return await exchange.publish(aio_pika.Message(b"smuggled"), key, timeout=SECONDS)

    return publish


async def forget(_: object) -> None:
    """A consumer's callback."""


def on_queue(name: str, action: str) -> Attempt:
    async def act(channel: AbstractChannel) -> object:
        queue = await channel.get_queue(name, ensure=False)
        match action:
            case "get":
                return await queue.get(timeout=SECONDS)
            case "consume":
                return await queue.consume(forget)
            case "purge":
                return await queue.purge(timeout=SECONDS)
            case "bind":
                return await queue.bind(names.ALERTS, "#")
            case _:
                return await queue.delete(if_unused=False, if_empty=False, timeout=SECONDS)

    return act


async def declare_queue(channel: AbstractChannel) -> object:
    return await channel.declare_queue("mine", durable=True, arguments={"x-queue-type": "quorum"})


async def declare_exchange(channel: AbstractChannel) -> object:
    return await channel.declare_exchange("mine", "topic", durable=True)


async def bind_exchange(channel: AbstractChannel) -> object:
    own = await channel.get_exchange(names.ingress_exchange("rs"), ensure=False)
    return await own.bind(names.ALERTS, "at.#")


ATTEMPTS: dict[str, Attempt] = {
    "publish to the exchange behind the ingress": to_exchange(names.ALERTS),
    "publish to another country's ingress": to_exchange(names.ingress_exchange("at"), "at.rs.urgent.route_alert"),
    "publish to another country's contact points": to_exchange(names.contact_points_exchange("at"), "at.ncp.urgent"),
    "publish to the dead letters": to_exchange(names.DEAD, "at"),
    "publish to the default exchange": to_exchange("", NORMAL),
    "declare a queue": declare_queue,
    "declare an exchange": declare_exchange,
    "bind an exchange": bind_exchange,
    **{
        f"{action} {queue}": on_queue(queue, action)
        for queue in FOREIGN_QUEUES
        for action in ("get", "consume", "purge", "bind", "delete")
    },
}


async def is_refused(channel: AbstractChannel, attempt: Attempt) -> bool:
    try:
        await attempt(channel)
    except aiormq.exceptions.ChannelAccessRefused:
        return True
    return False


@pytest.mark.parametrize("account", ACCOUNTS)
async def test_a_member_is_refused_everything_that_is_not_its_own(vhost: VirtualHost, account: str) -> None:
    # given
    await publish_raw(vhost, b"for Austria")
    attempts = dict(ATTEMPTS)
    for own in OWN.values():
        if own != OWN.get(account):
            attempts[f"publish to {own}"] = to_exchange(own, "rs.at.normal.route_alert")
    attempts |= {f"{action} {COUSIN}": on_queue(COUSIN, action) for action in ("get", "consume", "purge", "delete")}
    if account != "rs-router":
        attempts["get from the country's queue"] = on_queue(names.country_queue("rs", "normal"), "get")
    attempts |= {
        f"delete {name}": on_queue(name, "delete") for name in (*names.country_queues("rs"), "inbox.rs.ncp.normal")
    }

    # when: each on a channel of its own; a refusal closes the channel, not the connection
    allowed = []
    async with await aio_pika.connect(vhost.url(account), timeout=SECONDS) as connection:
        for name, attempt in attempts.items():
            channel = await connection.channel()
            if not await is_refused(channel, attempt):
                allowed.append(name)

    # then
    assert allowed == []
    assert await depths(vhost, NORMAL) == [1]


async def test_a_relay_may_use_no_key_but_its_own_countrys(vhost: VirtualHost) -> None:
    # given
    keys = ("at.rs.normal.route_alert", "rs.at.normal", "rs.at.normal.route_alert.more", "rs.at.later.route_alert", "#")

    # when
    allowed = []
    async with await aio_pika.connect(vhost.url("rs-relay"), timeout=SECONDS) as connection:
        for key in (*keys, KEY):
            channel = await connection.channel()
            if not await is_refused(channel, to_exchange(names.ingress_exchange("rs"), key)):
                allowed.append(key)

    # then
    assert allowed == [KEY]


async def test_a_forged_user_id_is_refused_by_the_broker(vhost: VirtualHost) -> None:
    with pytest.raises(aiormq.exceptions.ChannelPreconditionFailed):
        await publish_raw(vhost, b"{}", user_id="at-relay")


@pytest.mark.parametrize("sender", ["rs", "at"], ids=["its own name", "another's name"])
async def test_a_copy_header_reaches_past_the_permissions_and_is_seen_on_arrival(
    vhost: VirtualHost, sender: str
) -> None:
    # given: to Croatia, which nothing in the key allows
    smuggled = names.alert_key(sender, "hr", lane="urgent", kind="route_alert")

    # when
    if sender == "at" and checks_copies(vhost):
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
            await publish_raw(vhost, b"copied", headers={"CC": [smuggled]})
        return
    await publish_raw(vhost, b"copied", headers={"CC": [smuggled]})

    # then: verification refuses what carries it (step 9), in either place
    async with subscribing(vhost, names.country_queues("hr"), account="hr-router") as consumer:
        (copied,) = await taken(consumer, 1)
    async with subscribing(vhost) as consumer:
        (original,) = await taken(consumer, 1)
    assert (copied.hints.copied, copied.hints.routing_key) == (True, KEY)
    assert original.hints.copied


@pytest.mark.parametrize("sender", ["rs", "at"], ids=["its own name", "another's name"])
async def test_a_blind_copy_arrives_under_the_key_of_the_original(vhost: VirtualHost, sender: str) -> None:
    # when: the broker takes this header off
    smuggled = names.alert_key(sender, "hr", lane="normal", kind="route_alert")
    if sender == "at" and checks_copies(vhost):
        with pytest.raises(aiormq.exceptions.ChannelAccessRefused):
            await publish_raw(vhost, b"copied", headers={"BCC": [smuggled]})
        return
    await publish_raw(vhost, b"copied", headers={"BCC": [smuggled]})

    # then: the key names Austria, and so verification refuses it in Croatia (step 9)
    async with subscribing(vhost, names.country_queues("hr"), account="hr-router") as consumer:
        (copied,) = await taken(consumer, 1)
    assert (copied.hints.copied, copied.hints.routing_key) == (False, KEY)


def checks_copies(vhost: VirtualHost) -> bool:
    """Whether the broker holds copy headers to the topic permissions too: from 4.0.3 on."""
    _, answer_bytes = management(vhost).request("GET", "/api/overview")
    version = str(json.loads(answer_bytes)["rabbitmq_version"])
    return tuple(int(part) for part in version.split(".")[:3]) >= (4, 0, 3)
