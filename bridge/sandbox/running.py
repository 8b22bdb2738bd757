"""A sandbox that runs: broker, counterparts, the node of whoever tries; until it is cancelled."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
import time
from asyncio.subprocess import Process
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from bridge.adapters.amqp.apply import apply_over_management
from bridge.adapters.amqp.topology import Topology, account_names, country_topology, merge, shared_topology
from bridge.adapters.trust.governance.reading import read_repository
from bridge.core.broker_names import relay_account, router_account
from bridge.core.directory import Directory
from bridge.core.errors import BridgeError, UnavailableError
from bridge.founding.network import confirm_network
from bridge.private_files import read_private, replace_private
from bridge.sandbox import folder as folders
from bridge.sandbox.country import Country, Tell, account_url, in_country, password
from bridge.sandbox.facts import facts_of
from bridge.sandbox.folder import CLIENT, NODE, SandboxFolder
from bridge.sandbox.own_node import LOG, ended, make_token, running
from bridge.sandbox.plan import Plan
from broker import PrivateNode
from broker.ports import LOOPBACK, free_ports

Answer = TypeVar("Answer")

VHOST: Final = "/"
LOOK_SECONDS: Final = 1.0
CONFIRM_SECONDS: Final = 3600.0  # the list is valid for longer
PASSWORD_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class Order:
    """What is to run.

    Attributes:
        there: the sandbox that is in `path` already, if one is.
        mine: `node` or `client`: what whoever tries has.
        every: seconds between two alerts that counterparts send on their own; 0: none.
        keep: the folder stays for another start; one that was there always does.
    """

    path: Path
    there: SandboxFolder | None
    plan: Plan
    mine: str
    every: float
    keep: bool


async def run_sandbox(order: Order, *, tell: Tell, started: Callable[[Mapping[str, object]], None]) -> None:
    """Runs until it is cancelled, or something that it consists of ends; nothing is left running.

    Raises:
        UnavailableError: the broker or the node does not start, or ended by itself; or a file cannot be written.
    """
    ports = [order.there.facts[name] for name in ("broker_port", "api_port")] if order.there else free_ports(2)
    broker = PrivateNode(port=ports[0])
    try:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(asyncio.to_thread, broker.stop)
            await _to_its_end(broker.start)
            sandbox = await _to_its_end(lambda: _on_disk(order, *ports))
            passwords = await asyncio.to_thread(_passwords, sandbox, order)
            await apply_over_management(broker.management_url, _topology(order.plan, passwords), vhost=VHOST)
            token = await _token(sandbox, order)
            facts = facts_of(sandbox, order.plan, mine=order.mine, broker=broker, api_port=ports[1], token=token)
            await asyncio.to_thread(sandbox.tell, facts)
            process = None
            if order.mine == NODE:
                process = await stack.enter_async_context(running(sandbox.you / "node.toml"))
            directory = await asyncio.to_thread(read_repository, sandbox.network)
            countries = [
                await stack.enter_async_context(
                    in_country(
                        sandbox.counterpart(prefix),
                        {one: order.plan.scripts[one] for one in points},
                        directory,
                        epoch=int(time.time()),  # a later start has a later one
                        broker=(LOOPBACK, broker.port),
                        tell=tell,
                    )
                )
                for prefix, points in order.plan.countries.items()
            ]
            started(facts)
            await _until_one_ends(
                *(country.live() for country in countries),
                _watch(broker, process, sandbox),
                _follow_list(sandbox, directory, countries, tell),
                _send(countries, order.plan.own, order.every, tell),
            )
    finally:
        if not order.keep:
            await asyncio.to_thread(SandboxFolder(order.path, {}).remove)


def _on_disk(order: Order, broker_port: int, api_port: int) -> SandboxFolder:
    if order.there is not None:
        confirm_network(order.there.network)
        order.there.export()
        return order.there
    made = folders.found(order.path, order.plan, mine=order.mine, broker_port=broker_port, api_port=api_port)
    made.export()
    return made


def _passwords(sandbox: SandboxFolder, order: Order) -> Mapping[str, str]:
    """Of all broker accounts; those of a client are made once, and stand in its file."""
    plan, prefix = order.plan, order.plan.you.lower()
    found = {
        account: password(sandbox.counterpart(country), account)
        for country, points in plan.countries.items()
        for account in account_names(country, points)
    }
    own = account_names(prefix, [plan.own])
    if order.mine == NODE:
        return found | {account: password(sandbox.you, account) for account in own}
    made = {account: secrets.token_urlsafe(PASSWORD_BYTES) for account in own}
    file = sandbox.you / "client.json"
    relay, router = relay_account(prefix), router_account(prefix)
    if file.exists():
        said = json.loads(read_private(file))
        return found | made | {relay: _secret(said["relay"]), router: _secret(said["router"])}
    place = (LOOPBACK, sandbox.facts["broker_port"])
    urls = {"relay": account_url(relay, made[relay], place), "router": account_url(router, made[router], place)}
    client = {"id": plan.own, "network": "../network.json", **urls}
    replace_private(file, json.dumps(client, indent=2).encode() + b"\n")
    return found | made


def _secret(url: str) -> str:
    return urlsplit(url).password or ""


def _topology(plan: Plan, passwords: Mapping[str, str]) -> Topology:
    members = {plan.you.lower(): [plan.own], **plan.countries}
    each = [country_topology(prefix, points, passwords=passwords) for prefix, points in members.items()]
    return merge([shared_topology(), *each])


async def _token(sandbox: SandboxFolder, order: Order) -> str | None:
    """The token for the HTTP interface of an own node: made once, kept in sandbox.json for whoever tries."""
    if order.mine == CLIENT:
        return None
    own = sandbox.facts.get("api")
    return own["token"] if own else await make_token(sandbox.you / "node.toml", order.plan.own)


async def _until_one_ends(*works: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watch(broker: PrivateNode, process: Process | None, sandbox: SandboxFolder) -> None:
    while broker.alive:
        if process is not None and process.returncode is not None:
            raise ended(sandbox.you / LOG)
        await asyncio.sleep(LOOK_SECONDS)
    raise UnavailableError("E_BROKER_LOST", "the private RabbitMQ node has ended by itself")


async def _follow_list(sandbox: SandboxFolder, first: Directory, countries: Sequence[Country], tell: Tell) -> None:
    """Confirms the list in time, and goes by a new one as soon as it is there."""
    version, confirmed = first.version, time.monotonic()
    timestamp = sandbox.network / "mirror" / "metadata" / "timestamp.json"
    seen = timestamp.stat().st_mtime_ns
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if time.monotonic() - confirmed > CONFIRM_SECONDS:
            await asyncio.to_thread(confirm_network, sandbox.network)
            confirmed = time.monotonic()
        latest = timestamp.stat().st_mtime_ns
        if latest == seen:
            continue
        try:
            directory = await asyncio.to_thread(read_repository, sandbox.network)
            await asyncio.to_thread(sandbox.export)
        except BridgeError:
            continue  # it is being written at this moment
        seen = latest
        for country in countries:
            country.follow(directory)
        if directory.version != version:
            version = directory.version
            tell({"event": "list", "version": version})


async def _send(countries: Sequence[Country], to: str, every: float, tell: Tell) -> None:
    """One country after the other sends an alert of its own."""
    if not every:
        await asyncio.Event().wait()
    for country in itertools.cycle(countries):
        await asyncio.sleep(every)
        try:
            await country.send_alert(to)
        except BridgeError as error:  # a client that is not admitted yet has no key
            tell({"event": "failed", "contact_point": country.counterparts[0].id, "code": error.code})


async def _to_its_end(work: Callable[[], Answer]) -> Answer:
    """Works in a thread, which is at its end when this is, also when this is cancelled."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise
