"""Puts a topology onto a broker; doing it again changes nothing.

Over AMQP: exchanges, queues and bindings, with an account that may configure. Over the management API: all of it,
policies, accounts and limits included, and whoever left a network is sealed off where that is asked for. What stands on
the broker in another form is reported and left alone; nothing is deleted but what `plan` names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import aio_pika
import aiormq.exceptions

from bridge.adapters.amqp.definitions import QUORUM
from bridge.adapters.amqp.faults import broker_calls
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.plan import Change, Leaving, conflict, plan, removals
from bridge.adapters.amqp.topology import Topology

DEADLINE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What is on the broker now."""

    exchanges: int
    queues: int
    accounts: int


@dataclass(frozen=True, slots=True)
class SealedOff:
    """A member, or a contact point of one, that the network has no more.

    Attributes:
        accounts: that were deleted, or lost their permissions.
        connections: of theirs that were closed.
        queues: name -> messages that wait in it; nothing flows in any more.
        dropped: whether the queues are gone with what was in them.
    """

    member: str
    accounts: tuple[str, ...]
    connections: int
    queues: Mapping[str, int]
    dropped: bool


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was changed, or in a dry run would be.

    Attributes:
        on_broker: what the topology has, all of it there now.
        left_alone: bindings between our names and others'.
    """

    on_broker: Applied
    changes: tuple[Change, ...]
    sealed_off: tuple[SealedOff, ...]
    left_alone: tuple[str, ...]


async def apply_over_amqp(url: str, topology: Topology) -> Applied:
    """Declares exchanges, queues and bindings in the URL's virtual host.

    Raises:
        RefusedError: something is there in another form (`E_TOPOLOGY_CONFLICT`).
        UnavailableError: no connection, or the account may not configure.
    """
    async with broker_calls(url, deadline_seconds=DEADLINE_SECONDS), await aio_pika.connect(url) as connection:
        try:
            await _declare(connection, topology)
        except aiormq.exceptions.ChannelPreconditionFailed as error:
            raise conflict(str(error)) from error
    return Applied(exchanges=len(topology.exchanges), queues=len(topology.queues), accounts=0)


async def apply_over_management(
    management_url: str,
    topology: Topology,
    *,
    vhost: str,
    keep_passwords: bool = False,
    seal: bool = False,
    drop_queues: bool = False,
    dry_run: bool = False,
) -> Reconciled:
    """Makes everything, the virtual host included, over `https://account:password@host:port` (`http://` on loopback).

    Args:
        management_url: the API, with the administrator's account.
        topology: of one country, or of a whole network.
        vhost: the virtual host.
        keep_passwords: accounts without a password in the topology keep what they have.
        seal: the topology is the whole network's; who is not in it is sealed off.
        drop_queues: the queues of those go, too, with what is in them.
        dry_run: only say what would be done.

    Raises:
        BadInputError: the URL would send the password in the clear.
        RefusedError: something is there in another form (`E_TOPOLOGY_CONFLICT`), or the broker refuses the document.
        UnavailableError: the API cannot be reached, or it refuses the account.
    """
    management = Management.at(management_url)

    def work() -> Reconciled:
        found = plan(management.export(), topology, vhost=vhost, keep_passwords=keep_passwords, seal=seal)
        sealed = _seal_off(management, found.leaving, vhost, drop_queues=drop_queues, dry_run=dry_run)
        if found.changes and not dry_run:
            management.load(found.document)
        removed = [change for leaving in found.leaving for change in removals(leaving)]
        on_broker = Applied(len(topology.exchanges), len(topology.queues), len(topology.accounts))
        return Reconciled(on_broker, (*removed, *found.changes), sealed, found.left_alone)

    return await asyncio.to_thread(work)


async def _declare(connection: aio_pika.abc.AbstractConnection, topology: Topology) -> None:
    channel = await connection.channel()
    for exchange in topology.exchanges:
        await channel.declare_exchange(exchange.name, exchange.type, durable=True)
    for queue in topology.queues:
        await channel.declare_queue(queue.name, durable=True, arguments=dict(QUORUM))
    for binding in topology.bindings:
        destination = (
            await channel.get_queue(binding.destination, ensure=False)
            if binding.destination_type == "queue"
            else await channel.get_exchange(binding.destination, ensure=False)
        )
        await destination.bind(binding.source, binding.routing_key)


def _seal_off(
    management: Management, left: Sequence[Leaving], vhost: str, *, drop_queues: bool, dry_run: bool
) -> tuple[SealedOff, ...]:
    """The accounts of all first, so that nobody comes back; then what flows in; then what is still connected.

    Connections are last because they may not close: nothing else waits for them, and nothing more flows to them.
    """
    depths = management.depths(vhost) if left else {}
    accounts = [account for leaving in left for account in leaving.accounts]
    connected = management.connections(accounts, vhost) if accounts else {}
    dropping = drop_queues and not dry_run
    if not dry_run:
        for leaving in left:
            _shut_out(management, leaving, vhost)
        for leaving in left:
            for binding in leaving.bindings:
                management.unbind(binding, vhost)
        connected |= management.close_connections(accounts, vhost) if accounts else {}
    if dropping:
        for leaving in left:
            _drop(management, leaving, vhost)
    return tuple(
        SealedOff(
            member=leaving.member,
            accounts=leaving.accounts,
            connections=sum(account in leaving.accounts for account in connected.values()),
            queues={name: depths.get(name, 0) for name in leaving.queues},
            dropped=dropping,
        )
        for leaving in left
        if leaving.accounts or leaving.queues
    )


def _shut_out(management: Management, leaving: Leaving, vhost: str) -> None:
    for account in leaving.accounts:
        if account in leaving.known_elsewhere:
            management.forbid(account, vhost)
        else:
            management.delete("users", account)


def _drop(management: Management, leaving: Leaving, vhost: str) -> None:
    for kind, dropped in (
        ("queues", leaving.queues),
        ("exchanges", leaving.exchanges),
        ("policies", leaving.policies),
    ):
        for name in dropped:
            management.delete(kind, vhost, name)
