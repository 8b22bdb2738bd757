"""Makes the faults happen, each by its kind; answers when it is over."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import aio_pika.exceptions
import aiormq.exceptions
import chaos_hooks as hooks
import chaos_plan as plan
from chaos_databases import PATIENCE_SECONDS
from chaos_message_faults import Poison, shuffle_and_double
from chaos_migration import kill_in_migration
from chaos_plan import Fault
from chaos_probe import Prober
from chaos_services import Generator, Service
from chaos_sockets import cut_connections
from chaos_storage_faults import filled_disk, kill_postgres, locked_file, paused_postgres
from chaos_world import World

from broker import ClusterNode, PrivateNode

CUT_EVERY_SECONDS: Final = 0.5
FIRE_SECONDS: Final = 20.0
NUDGE_SECONDS: Final = 0.5
HOURS: Final = 3600.0

POINTS: Final = {
    plan.KILL_BEFORE_COMMIT: hooks.BEFORE_COMMIT,
    plan.KILL_BEFORE_ACKNOWLEDGE: hooks.BEFORE_ACKNOWLEDGE,
    plan.KILL_BEFORE_PUBLISH: hooks.BEFORE_PUBLISH,
    plan.KILL_BEFORE_MARK: hooks.BEFORE_MARK,
}


class FaultError(Exception):
    """A fault could not be made; the plan does not count it."""


@dataclass
class Faults:
    """Makes faults in one world."""

    world: World
    services: Mapping[str, Service]
    generators: Mapping[str, Generator]
    prober: Prober
    poison: Poison = field(init=False)
    turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    def __post_init__(self) -> None:
        self.poison = Poison(self.world)

    async def make(self, fault: Fault) -> None:
        """Makes the fault and returns when it is over.

        Raises:
            FaultError: it did not happen.
        """
        async with self.turns[fault.country or fault.target]:  # of faults under way at once
            await self._make(fault)

    async def _make(self, fault: Fault) -> None:
        if fault.kind in POINTS:
            await self._kill_at(fault, POINTS[fault.kind])
            return
        makers: Mapping[str, Callable[[Fault], Awaitable[None]]] = {
            plan.CONNECTION_CUT: self._cut,
            plan.BROKER_STALL: self._stall_broker,
            plan.BROKER_KILL: self._kill_broker,
            plan.KILL_IN_MIGRATION: self._kill_in_migration,
            plan.KILL_AT_RANDOM: self._kill_at_random,
            plan.KILL_WHILE_SUBMITTING: self._kill_generator,
            plan.SERVICE_STALL: self._stall_service,
            plan.DATABASE_PAUSED: self._pause_postgres,
            plan.DATABASE_KILLED: self._kill_postgres,
            plan.DATABASE_LOCKED: self._lock_file,
            plan.DISK_FULL: self._fill_disk,
            plan.POISON_FLOOD: self._flood,
            plan.SHUFFLED_AND_DOUBLED: self._shuffle,
            plan.CLOCK_STEP: self._step_clock,
        }
        try:
            await makers[fault.kind](fault)
        except (aio_pika.exceptions.AMQPError, aiormq.exceptions.AMQPError, OSError, TimeoutError) as error:
            raise FaultError(f"{type(error).__name__}: {error}") from error  # another fault was in its way

    def of_country(self, prefix: str) -> Sequence[Service]:
        """The services of a country."""
        return [service for service in self.services.values() if service.country.prefix == prefix]

    def other_than(self, fault: Fault) -> str:
        """A country that the fault is not about, by its dice."""
        others = [country for country in self.world.countries if country != fault.country]
        return random.Random(fault.dice).choice(others)  # noqa: S311 - to be repeated

    async def _kill_at(self, fault: Fault, point: str) -> None:
        service, other = self.services[fault.target], self.other_than(fault)
        here, deaths = service.country.prefix, service.deaths
        service.arm(point)
        deadline = time.monotonic() + FIRE_SECONDS
        while not await service.next_death(deaths, seconds=NUDGE_SECONDS):
            if time.monotonic() > deadline:
                service.disarm(point)
                raise FaultError(f"{service.name} never came to {point}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FIRE_SECONDS):
                    await asyncio.gather(self.prober.submit(here, other), self.prober.submit(other, here))

    async def _cut(self, fault: Fault) -> None:
        ends = time.monotonic() + fault.seconds
        while time.monotonic() < ends:
            for service in self.of_country(fault.target):
                if service.pid is not None:
                    cut_connections(service.pid, ports=self.world.ports)
            await asyncio.sleep(CUT_EVERY_SECONDS)

    async def _stall_broker(self, fault: Fault) -> None:
        node = self._node(fault)
        node.pause()
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            node.resume()

    async def _kill_broker(self, fault: Fault) -> None:
        node = self._node(fault)
        node.kill()
        if isinstance(node, PrivateNode):
            await asyncio.to_thread(node.restart)

    async def mend(self, fault: Fault) -> None:
        """Undoes what a fault left behind: a cluster has to recover without the node that it lost."""
        if fault.kind == plan.BROKER_KILL:
            node = self._node(fault)
            if isinstance(node, ClusterNode):
                await asyncio.to_thread(node.restart)

    def _node(self, fault: Fault) -> PrivateNode | ClusterNode:
        node = self.world.brokers[fault.number % len(self.world.brokers)]
        if not isinstance(node, PrivateNode | ClusterNode):
            raise FaultError("the broker is not ours to stop")
        return node

    async def _kill_in_migration(self, fault: Fault) -> None:
        if not await kill_in_migration(self.world, fault):
            raise FaultError("the migration was over before")

    async def _kill_at_random(self, fault: Fault) -> None:
        service = self.services[fault.target]
        await asyncio.sleep(random.Random(fault.dice).uniform(0, 0.5))  # noqa: S311 - to be repeated
        if not service.signal(signal.SIGKILL):
            raise FaultError(f"{service.name} does not run")

    async def _kill_generator(self, fault: Fault) -> None:
        generator = self.generators[fault.target]
        await asyncio.sleep(random.Random(fault.dice).uniform(0, 0.5))  # noqa: S311 - to be repeated
        if generator.done.is_set() or not generator.signal(signal.SIGKILL):
            raise FaultError(f"the load generator of {fault.target} has nothing to do")

    async def _stall_service(self, fault: Fault) -> None:
        service = self.services[fault.target]
        if not service.signal(signal.SIGSTOP):
            raise FaultError(f"{service.name} does not run")
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            service.signal(signal.SIGCONT)

    async def _pause_postgres(self, fault: Fault) -> None:
        with paused_postgres(self.world.postgres):
            await asyncio.sleep(fault.seconds)

    async def _kill_postgres(self, _: Fault) -> None:
        kill_postgres(self.world.postgres)

    async def _lock_file(self, fault: Fault) -> None:
        database = self.world.countries[fault.target].database
        if database is None:
            raise FaultError("no file")
        await asyncio.to_thread(locked_file, database, seconds=fault.seconds, patience=PATIENCE_SECONDS)

    async def _fill_disk(self, fault: Fault) -> None:
        disk = self.world.countries[fault.target].disk
        if disk is None:
            raise FaultError(self.world.no_small_disk or "no small disk")
        with filled_disk(disk):
            await asyncio.sleep(fault.seconds)

    async def _flood(self, fault: Fault) -> None:
        await self.poison.flood(fault.target, thief=self.other_than(fault), dice=fault.dice)

    async def _shuffle(self, fault: Fault) -> None:
        await shuffle_and_double(self.world, self.of_country(fault.target), fault)

    async def _step_clock(self, fault: Fault) -> None:
        dice = random.Random(fault.dice)  # noqa: S311 - to be repeated
        offset = dice.choice((-1, 1)) * dice.uniform(1 * HOURS, 12 * HOURS)
        services = self.of_country(fault.target)
        for service in services:
            service.arm(hooks.CLOCK, f"{offset:.0f}")
        try:
            await asyncio.sleep(fault.seconds)
        finally:
            for service in services:
                service.disarm(hooks.CLOCK)
