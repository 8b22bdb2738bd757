"""What a running process looks at when it is asked how it is: each session, each service, and what they depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from bridge.adapters.amqp.session import AmqpSession
from bridge.adapters.store import SqlStore
from bridge.adapters.system.clock_watch import sentence
from bridge.app.checks import node_states as states
from bridge.app.checks.check_clock import check_clock, check_peer_clocks
from bridge.app.checks.check_membership import check_list
from bridge.app.checks.check_node import Check
from bridge.app.checks.process_health import ProcessHealth
from bridge.app.keys.choosing import signer_of
from bridge.compose.guards import Guards
from bridge.core.times import format_time
from bridge.ports.keys import Desk
from bridge.ports.trust import TrustSource
from bridge.services.consuming import ConsumingService
from bridge.services.relaying import RelayingService
from bridge.services.runner import Service


def watch_dependencies(
    health: ProcessHealth, guards: Guards, *, store: SqlStore, trust: TrustSource, desks: Sequence[Desk]
) -> None:
    """Adds the checks of database, disk, clock, membership list, and of the signing keys where this process has any."""

    async def database() -> Check:
        await store.check()
        return Check("database", ok=True, detail="reachable, writable, of this program's schema")

    async def room() -> Check:
        return Check("disk", ok=True, detail=guards.disk.check())

    async def time() -> Check:
        step = guards.clock.step
        if step is not None:
            return Check("clock", ok=False, detail=sentence(step), state=states.CLOCK_STEPPED)
        server_time = await store.server_time()
        return check_clock(trust.current(), now=guards.wall_clock.now(), server_time=server_time)

    async def peers() -> Check:
        return await check_peer_clocks(store)

    async def membership() -> Check:
        now = guards.wall_clock.now()
        (found,) = check_list(trust.current(), now=now, contact_points=(), failures=trust.failures)
        return found

    async def keys() -> Check:
        directory, now = trust.current(), guards.wall_clock.now()
        kids = [signer_of(desk, directory, at=now).kid for desk in desks]
        return Check("keys", ok=True, detail="opened, and members accept what they sign: " + ", ".join(kids))

    # SQLite has one writer: who waits for two seconds waits for another process's transaction.
    health.watch("database", database, late=states.DATABASE_LOCKED if guards.is_sqlite else states.DATABASE_UNREACHABLE)
    health.watch("disk", room, late=states.DISK_FULL)
    health.watch("clock", time)
    health.watch("clocks of peers", peers)
    health.watch("membership list", membership)
    if desks:
        health.watch("keys", keys)


def watch_work(health: ProcessHealth, *, sessions: Sequence[AmqpSession], services: Mapping[str, Service]) -> None:
    """Adds a check for each session with the broker and for each service."""
    for session in sessions:
        health.watch(f"broker {session.name}", partial(_session, session), late=states.BROKER_UNREACHABLE)
    for service in services.values():
        if isinstance(service, ConsumingService | RelayingService):
            health.watch(f"service {service.name}", partial(_service, service))


async def _session(session: AmqpSession) -> Check:
    name, status = f"broker {session.name}", session.status
    if status.failure is not None:
        return Check.failed(name, status.failure)
    if not status.connected:
        return Check(name, ok=False, detail="not connected yet", state=states.BROKER_UNREACHABLE)
    return Check(name, ok=True, detail=f"connected since {format_time(status.since)}")


async def _service(service: ConsumingService | RelayingService) -> Check:
    name, found = f"service {service.name}", service.state
    since = f"since {format_time(found.since)}"
    if found.state == "running":
        return Check(name, ok=True, detail=f"works {since}")
    if found.code is not None:
        return Check(name, ok=False, detail=f"{found.detail}; {since}", state=states.state_of(found.code))
    return Check(name, ok=False, detail=f"{found.state.replace('_', ' ')} {since}", state=found.state)
