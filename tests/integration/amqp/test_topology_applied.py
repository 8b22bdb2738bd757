"""Applying a topology: over AMQP and over the management API, twice as once; what stands in the way is named."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import aio_pika
import pytest
from amqp_world import (
    NORMAL,
    SECONDS,
    management,
    publication,
    publish_raw,
    publishing,
    subscribing,
    taken,
    until_depth,
)

from bridge.adapters.amqp.apply import Applied, apply_over_amqp, apply_over_management
from bridge.adapters.amqp.probe import probe_broker
from bridge.adapters.amqp.topology import country_topology, merge, shared_topology
from bridge.core import broker_names as names
from bridge.core.errors import RefusedError, UnavailableError
from bridge.ports.broker import PublishOutcome

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from servers.broker_fixtures import MakeVirtualHost, VirtualHost

    from bridge.adapters.amqp.topology import Topology

    Apply = Callable[[VirtualHost], Awaitable[Applied]]

DECLARED = ("exchanges", "queues", "bindings")
PASSWORDS = dict.fromkeys(["si-relay", "si-router", "si-inbox-ncp", "it-relay", "it-router", "it-inbox-ncp"], "secret")


def topology() -> Topology:
    return merge(
        [
            shared_topology(),
            country_topology("si", ["si.ncp"], passwords=PASSWORDS),
            country_topology("it", ["it.ncp"], passwords=PASSWORDS),
        ]
    )


@pytest.fixture
def empty(make_vhost: MakeVirtualHost) -> VirtualHost:
    return make_vhost({})


def state(vhost: VirtualHost) -> dict[str, object]:
    """Everything in the virtual host that a topology speaks of."""
    found = {}
    for kind in ("exchanges", "queues", "bindings", "policies", "permissions", "topic-permissions"):
        where = f"/api/{'vhosts/' if 'permissions' in kind else kind + '/'}{quote(vhost.name, safe='')}"
        path = f"{where}/{kind}" if "permissions" in kind else where
        _, answer = management(vhost).request("GET", f"{path}?disable_stats=true")
        entries = json.loads(answer)
        kept = ("name", "type", "arguments", "source", "destination", "routing_key", "pattern", "definition", "user")
        found[kind] = [
            {key: entry[key] for key in (*kept, "configure", "write", "read", "exchange") if key in entry}
            for entry in entries
        ]
    return found


async def test_over_the_management_api_everything_is_there_and_a_second_time_changes_nothing(
    empty: VirtualHost,
) -> None:
    # given
    url = empty.broker.management_url

    # when
    applied = await apply_over_management(url, topology(), vhost=empty.name)
    once = await asyncio.to_thread(state, empty)
    again = await apply_over_management(url, topology(), vhost=empty.name)

    # then
    assert applied.on_broker == again.on_broker == Applied(exchanges=6, queues=10, accounts=6)
    assert again.changes == ()
    assert await asyncio.to_thread(state, empty) == once
    assert len(once["policies"]) == 4  # type: ignore[arg-type]
    assert "queues there" in await probe_broker(
        empty.broker.amqp_url(empty.name, "si-router", "secret"),
        queues=names.country_queues("si"),
        exchange=names.contact_points_exchange("si"),
    )


async def test_over_amqp_exchanges_queues_and_bindings_are_there_and_a_second_time_changes_nothing(
    empty: VirtualHost,
) -> None:
    # when
    applied = await apply_over_amqp(empty.admin_url, topology())
    once = await asyncio.to_thread(state, empty)
    again = await apply_over_amqp(empty.admin_url, topology())

    # then
    assert applied == again == Applied(exchanges=6, queues=10, accounts=0)
    assert await asyncio.to_thread(state, empty) == once


async def test_both_ways_lead_to_the_same_exchanges_queues_and_bindings(make_vhost: MakeVirtualHost) -> None:
    first, second = await asyncio.to_thread(make_vhost, {}), await asyncio.to_thread(make_vhost, {})
    await apply_over_amqp(first.admin_url, topology())
    await apply_over_management(second.broker.management_url, topology(), vhost=second.name)
    ones, others = await asyncio.to_thread(state, first), await asyncio.to_thread(state, second)
    assert {kind: ones[kind] for kind in DECLARED} == {kind: others[kind] for kind in DECLARED}
    assert all(ones[kind] for kind in DECLARED)


async def apply_by_amqp(vhost: VirtualHost) -> Applied:
    return await apply_over_amqp(vhost.admin_url, topology())


async def apply_by_management(vhost: VirtualHost) -> Applied:
    return (await apply_over_management(vhost.broker.management_url, topology(), vhost=vhost.name)).on_broker


@pytest.mark.parametrize("apply", [apply_by_amqp, apply_by_management])
async def test_what_is_there_in_another_form_is_named_and_left_alone(empty: VirtualHost, apply: Apply) -> None:
    # given
    async with await aio_pika.connect(empty.admin_url, timeout=SECONDS) as connection:
        channel = await connection.channel()
        await channel.declare_queue("country.si.urgent", durable=True)

    # when
    with pytest.raises(RefusedError, match=r"already has this in another form: .*country\.si\.urgent") as caught:
        await apply(empty)

    # then
    assert caught.value.code == "E_TOPOLOGY_CONFLICT"
    async with await aio_pika.connect(empty.admin_url, timeout=SECONDS) as connection:
        await (await connection.channel()).declare_queue("country.si.urgent", durable=True)


async def test_an_account_that_may_not_configure_is_refused(vhost: VirtualHost) -> None:
    with pytest.raises(UnavailableError, match="does not let the account rs-relay do this") as caught:
        await apply_over_amqp(vhost.url("rs-relay"), topology())
    assert caught.value.code == "E_BROKER_REFUSED"


async def test_the_management_api_with_a_wrong_password_is_told_without_it(empty: VirtualHost) -> None:
    wrong = empty.broker.management_url.replace(empty.broker.admin_password, "not-the-password")
    with pytest.raises(UnavailableError, match="refuses the account") as caught:
        await apply_over_management(wrong, topology(), vhost=empty.name)
    assert caught.value.code == "E_BROKER_CREDENTIALS"
    assert "not-the-password" not in caught.value.message


@pytest.mark.parametrize(
    ("needed", "code", "sentence"),
    [
        ({"queues": ["country.zz.urgent"]}, "E_BROKER_MISSING", r"lacks what is needed here: .*country\.zz\.urgent"),
        ({"exchange": "from.zz"}, "E_BROKER_MISSING", r"lacks what is needed here: .*from\.zz"),
    ],
)
async def test_a_probe_names_what_is_missing(
    vhost: VirtualHost, needed: dict[str, object], code: str, sentence: str
) -> None:
    with pytest.raises(UnavailableError, match=sentence) as caught:
        await probe_broker(vhost.url("at-router"), **needed)  # type: ignore[arg-type]
    assert caught.value.code == code


async def test_a_message_that_the_broker_gives_up_on_lands_with_the_country_that_it_was_for(vhost: VirtualHost) -> None:
    # given
    await publish_raw(vhost, b"given up", headers={"CC": []})

    # when: a consumer of another kind rejects it
    async with await aio_pika.connect(vhost.url("at-router"), timeout=SECONDS) as connection:
        queue = await (await connection.channel()).get_queue(NORMAL, ensure=False)
        message = await queue.get(timeout=5)
        assert message is not None
        await message.reject(requeue=False)

    # then: it takes the ordinary path, without a key that would speak for the sender
    async with subscribing(vhost, names.country_queues("at")) as consumer:
        (delivery,) = await taken(consumer, 1)
    assert (delivery.queue, delivery.wire_bytes, delivery.hints.routing_key) == ("dead.at", b"given up", None)
    await until_depth(vhost, "dead.at", 0)


async def test_each_lane_takes_its_own_messages_once(vhost: VirtualHost) -> None:
    # given
    lanes = ("urgent", "normal")
    keys = [names.alert_key("rs", "at", lane=lane, kind=kind) for lane in lanes for kind in ("route_alert", "receipt")]

    # when
    async with publishing(vhost) as publisher:
        outcomes = await publisher.publish([publication(key.encode(), routing_key=key) for key in keys])

    # then
    assert outcomes == [PublishOutcome.CONFIRMED] * 4
    async with subscribing(vhost, names.country_queues("at")) as consumer:
        arrived = await taken(consumer, 4)
    assert sorted((item.queue.rpartition(".")[2], item.wire_bytes.decode()) for item in arrived) == sorted(
        (key.split(".")[2], key) for key in keys
    )
