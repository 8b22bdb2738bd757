"""A cluster of three loses a node, whichever: no confirmed message is lost, publishing and consuming go on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from cluster_world import PATIENCE_SECONDS, QUEUE, Place, publication, traffic

from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.core.errors import UnavailableError
from bridge.ports.broker import PublishOutcome

if TYPE_CHECKING:
    from bridge.ports.broker import Publication
    from broker import PrivateCluster

pytestmark = pytest.mark.broker

SILENT_SECONDS = 12.0  # beyond a publish's deadline


def test_a_quorum_queue_has_a_member_on_every_node(place: Place, cluster: PrivateCluster) -> None:
    members = cluster.members_of(QUEUE, vhost=place.vhost)
    assert sorted(members) == sorted(node.name for node in cluster.nodes)


async def test_each_node_in_turn_is_killed_and_comes_back_and_every_confirmed_message_arrives(
    place: Place, cluster: PrivateCluster
) -> None:
    # given: both sessions are on the leader, which goes first
    left = set(cluster.nodes)
    leader = await asyncio.to_thread(place.leader)
    roles = []
    async with traffic(place, publish_at=leader, consume_at=leader) as flowing:
        await flowing.goes_on()
        while left:
            leader = await asyncio.to_thread(place.leader)
            victim = leader if leader in left else next(iter(left))
            left.remove(victim)
            roles.append("leader" if victim is leader else "follower")

            # when
            victim.kill()

            # then: with two nodes of three
            await flowing.goes_on()
            await asyncio.to_thread(victim.restart)
            await flowing.goes_on()
    assert roles[0] == "leader"


@pytest.mark.parametrize("lost", ["the leader", "the node connected to"])
async def test_the_kind_of_node_that_is_lost_makes_no_difference(
    place: Place, cluster: PrivateCluster, lost: str
) -> None:
    # given: the sessions are on a follower
    leader = await asyncio.to_thread(place.leader)
    near = next(node for node in cluster.nodes if node is not leader)
    victim = {"the leader": leader, "the node connected to": near}[lost]
    async with traffic(place, publish_at=near, consume_at=near) as flowing:
        await flowing.goes_on()

        # when
        victim.kill()

        # then
        await flowing.goes_on()
    await asyncio.to_thread(victim.restart)


async def test_a_publisher_whose_first_publish_falls_into_the_gap_between_two_leaders_is_confirmed_in_the_end(
    place: Place, cluster: PrivateCluster
) -> None:
    """On 3.10 such a channel is nacked for ever; the publisher takes another."""
    # given: connected to a follower, nothing published
    leader = await asyncio.to_thread(place.leader)
    near = next(node for node in cluster.nodes if node is not leader)
    urls = place.urls("rs-relay", first=near)
    row = publication()
    async with AmqpSession(lambda: Login(urls), name="out") as session:
        publisher = AmqpPublisher(session)
        await (await session.open_channel(confirms=True)).close()

        # when
        leader.kill()
        outcomes = await outcomes_until_confirmed(publisher, row)

    # then
    assert outcomes[-1] is PublishOutcome.CONFIRMED
    await asyncio.to_thread(leader.restart)


async def test_a_silent_leader_holds_its_queue_up_and_costs_nothing_once_it_goes_on(place: Place) -> None:
    """Other nodes take a silent one for lost after a minute only (`net_ticktime`): until then a queue may wait."""
    # given
    leader = await asyncio.to_thread(place.leader)
    async with traffic(place, publish_at=leader, consume_at=leader) as flowing:
        await flowing.goes_on()

        # when
        leader.pause()
        await asyncio.sleep(SILENT_SECONDS)
        leader.resume()

        # then
        await flowing.goes_on()
        assert flowing.outcomes[PublishOutcome.UNKNOWN] >= 1


async def outcomes_until_confirmed(publisher: AmqpPublisher, row: Publication) -> list[PublishOutcome]:
    outcomes: list[PublishOutcome] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while PublishOutcome.CONFIRMED not in outcomes:
            try:
                outcomes += await publisher.publish([row])
            except UnavailableError:
                await asyncio.sleep(0.1)
    return outcomes
