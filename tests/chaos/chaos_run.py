"""One run: the network up, alerts flowing, faults one after another, quiet, and the oracle's verdict."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from chaos_faults import FaultError, Faults
from chaos_oracle import Verdict, count_pending, judge, wait_until_quiet
from chaos_plan import Fault, seconds_of
from chaos_probe import Prober, probing
from chaos_records import SUBMITTED, count_records
from chaos_services import Generator, Service, release_all
from chaos_world import World

from bridge.core.errors import UnavailableError
from broker.keeper import last_words

LOOK_SECONDS: Final = 2.0
MOST_PENDING: Final = 4000  # deliveries under way: more only lengthens the queues
FASTEST: Final = 400.0  # alerts a second, all countries together
SLOWEST: Final = 8.0
LOAD_SECONDS: Final = 3600.0
WARM_UP_SECONDS: Final = 60.0
MOST_FAILURES: Final = 50  # of a load generator that finds no database, again and again


@dataclass(frozen=True)
class Order:
    """What is asked for.

    Attributes:
        wanted: how many faults of the plan; those beyond stand in for what cannot be made.
        at_once: faults under way at the same time; with one, the time to recover is that of one fault.
        patience: seconds without any progress after which nothing more is expected.
    """

    messages: int
    plan: Sequence[Fault]
    seed: int
    mutant: str | None = None
    wanted: int | None = None
    at_once: int = 1
    patience: float = 400.0


@dataclass
class Outcome:
    """What happened.

    Attributes:
        recovery: seconds by kind, one for each fault that recovered in time.
        stuck: faults after which a probe did not arrive in time.
        not_made: faults that did not come about, with the reason.
    """

    verdict: Verdict
    seconds: float
    quiet: bool
    faults: Counter[str] = field(default_factory=Counter)
    recovery: dict[str, list[float]] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)
    not_made: list[str] = field(default_factory=list)


@dataclass
class Run:
    """One run in a world that is prepared."""

    world: World
    order: Order
    note: Callable[[str], None]
    faults: Counter[str] = field(default_factory=Counter)
    recovery: dict[str, list[float]] = field(default_factory=dict)
    stuck: list[str] = field(default_factory=list)
    not_made: list[str] = field(default_factory=list)
    _begun: float = field(default_factory=time.monotonic)
    _remaining_seconds: float = 0.0

    async def run(self) -> Outcome:
        """From the first start to the verdict."""
        services = self._services()
        generators = self._generators()
        try:
            for service in services:
                service.start()
            await asyncio.gather(*(service.wait_ready() for service in services))
            async with probing(self.world) as prober:
                await self._warm_up(prober)
                self.note(f"{len(services)} services are up; {self.order.messages} alerts, {self._wanted} faults")
                faults = Faults(
                    self.world,
                    {one.name: one for one in services},
                    {one.country.prefix: one for one in generators},
                    prober,
                )
                self._set_pace(seconds_of(self.order.plan[: self._wanted]))
                for generator in generators:
                    generator.start()
                async with self._pacing():
                    await self._make_faults(faults)
                    self._remaining_seconds = 0.0
                    await self._until_submitted(generators)
            quiet = await wait_until_quiet(self.world, self.note, patience=self.order.patience)
        finally:
            await release_all([*generators, *services])
        verdict = await judge(self.world)
        seconds = time.monotonic() - self._begun
        return Outcome(verdict, seconds, quiet, self.faults, self.recovery, self.stuck, self.not_made)

    @property
    def _wanted(self) -> int:
        return len(self.order.plan) if self.order.wanted is None else self.order.wanted

    def _services(self) -> list[Service]:
        return [
            Service(country, role, folder=self.world.folder, mutant=self.order.mutant)
            for country in self.world.countries.values()
            for role in country.roles
        ]

    def _generators(self) -> list[Generator]:
        countries = list(self.world.countries.values())
        share, rest = divmod(self.order.messages, len(countries))
        return [
            Generator(
                country,
                folder=self.world.folder,
                records=self.world.records,
                quota=share + (number < rest),
                seed=self.order.seed * len(countries) + number,
                peers=",".join(peer.prefix for peer in countries if peer is not country),
            )
            for number, country in enumerate(countries)
            if share or number < rest
        ]

    async def _warm_up(self, prober: Prober) -> None:
        """One alert from everybody to everybody: the network works, and a forger has something to refer to."""
        countries = list(self.world.countries)
        pairs = [(origin, to) for origin in countries for to in countries if origin != to]
        async with asyncio.timeout(WARM_UP_SECONDS):
            await asyncio.gather(*(prober.cross(origin, to) for origin, to in pairs))

    async def _make_faults(self, faults: Faults) -> None:
        free = asyncio.Semaphore(self.order.at_once)
        async with asyncio.TaskGroup() as group:
            for number, fault in enumerate(self.order.plan):
                await free.acquire()
                if self.faults.total() >= self._wanted:
                    break
                coming = self.order.plan[number : number + self._wanted - self.faults.total()]
                self._remaining_seconds = seconds_of(coming) / self.order.at_once
                making = group.create_task(self._make(faults, fault))
                making.add_done_callback(lambda _: free.release())

    async def _make(self, faults: Faults, fault: Fault) -> None:
        what = f"fault {fault.number + 1} of {self._wanted}: {fault.kind} of {fault.target}"
        try:
            await faults.make(fault)
        except FaultError as error:
            self.not_made.append(f"{fault.kind} of {fault.target}: {error}")
            self.note(f"{what}: not made, {error}")
            return
        self.faults[fault.kind] += 1
        seconds = await faults.prober.recover(fault.country, faults.other_than(fault))
        if seconds is None:
            self.stuck.append(what)
        else:
            self.recovery.setdefault(fault.kind, []).append(seconds)
        await faults.mend(fault)
        sent = count_records(self.world.records, SUBMITTED)
        self.note(f"{what}: {'not recovered' if seconds is None else f'recovered in {seconds:.2f} s'}; {sent} sent")

    async def _until_submitted(self, generators: Sequence[Generator]) -> None:
        async with asyncio.timeout(LOAD_SECONDS):
            while not all(generator.done.is_set() for generator in generators):
                await asyncio.sleep(LOOK_SECONDS)
                self.note(f"{count_records(self.world.records, SUBMITTED)} alerts are submitted")
                for generator in generators:
                    if generator.failures > MOST_FAILURES:
                        raise UnavailableError("E_CHAOS_LOAD", f"{generator.name}: {last_words(generator.log)}")

    @asynccontextmanager
    async def _pacing(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._pace())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _pace(self) -> None:
        """Keeps the load as long as the faults, and the queues short."""
        while True:
            with contextlib.suppress(TimeoutError):
                pending = sum((await count_pending(self.world)).values())
                self._set_pace(self._remaining_seconds, pending)
            await asyncio.sleep(LOOK_SECONDS)

    def _set_pace(self, seconds: float, pending: int = 0) -> None:
        left = self.order.messages - count_records(self.world.records, SUBMITTED)
        wanted = min(FASTEST, max(SLOWEST, left / seconds if seconds > 1 else FASTEST))
        if pending > MOST_PENDING:
            wanted = SLOWEST
        draft = self.world.records / "pace.draft"
        draft.write_text(f"{wanted / len(self.world.countries):.3f}", "ascii")
        draft.rename(self.world.records / "pace")
