"""Puts a topology onto a broker; doing it again changes nothing.

Over AMQP: exchanges, queues and bindings, with an account that may configure. Over the management API: all of it,
policies and accounts included. What stands on the broker in another form is reported and left alone; nothing is ever
deleted.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import aio_pika
import aiormq.exceptions

from bridge.adapters.amqp.definitions import QUORUM, Entry, definitions
from bridge.adapters.amqp.faults import broker_calls
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.topology import Topology
from bridge.core.errors import RefusedError

DEADLINE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What is on the broker now."""

    exchanges: int
    queues: int
    accounts: int


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
            raise _conflict(str(error)) from error
    return Applied(exchanges=len(topology.exchanges), queues=len(topology.queues), accounts=0)


async def apply_over_management(management_url: str, topology: Topology, *, vhost: str) -> Applied:
    """Imports everything, the virtual host included, over `https://account:password@host:port` (`http://` on loopback).

    Raises:
        BadInputError: the URL would send the password in the clear.
        RefusedError: something is there in another form (`E_TOPOLOGY_CONFLICT`), or the broker refuses the document.
        UnavailableError: the API cannot be reached, or it refuses the account.
    """
    management = Management.at(management_url)
    document = definitions(topology, vhost=vhost)
    await asyncio.to_thread(_import, management, document, vhost)
    return Applied(len(topology.exchanges), len(topology.queues), len(topology.accounts))


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


def _import(management: Management, document: dict[str, list[Entry]], vhost: str) -> None:
    # The import itself passes silently over what is declared differently.
    for kind, compared in (("exchanges", ("type", "durable")), ("queues", ("durable", "arguments"))):
        there = {entry["name"]: entry for entry in management.entries(kind, vhost)}
        for wanted in document[kind]:
            found = there.get(wanted["name"])
            for key in compared:
                if found is not None and found[key] != wanted[key]:
                    detail = f"{wanted['name']} has {key} {found[key]!r}, wanted {wanted[key]!r}"
                    raise _conflict(detail)
    management.load(document)


def _conflict(detail: str) -> RefusedError:
    return RefusedError("E_TOPOLOGY_CONFLICT", f"the broker already has this in another form: {detail}")
