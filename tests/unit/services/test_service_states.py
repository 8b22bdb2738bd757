"""What a service says about itself: what it waits for, since when, and why; a change is logged once."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from bridge.core.errors import UnavailableError
from bridge.services.consuming import ConsumingService
from bridge.services.relaying import RelayingService
from bridge.services.stopping import Patience, Stopped, unless_stopped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bridge.app.receiving.outcomes import Outcome
    from bridge.ports.broker import Consumer, Delivery

BLOCKED = UnavailableError("E_BROKER_BLOCKED", "an alarm")
AWAY = UnavailableError("E_BROKER_UNREACHABLE", "away")
DATABASE = UnavailableError("E_DATABASE_FULL", "full")


@dataclass
class World:
    """What is wrong now with the broker, the database, or what nobody foresaw."""

    broker: Exception | None = None
    database: Exception | None = None
    relayed: int = 0
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    async def broker_ready(self) -> None:
        if self.broker is not None:
            raise self.broker

    async def check(self) -> None:
        if self.database is not None:
            raise self.database

    async def relay_once(self) -> int:
        await self.check()
        self.relayed += 1
        return 0

    def rests(self) -> bool:
        return False

    @asynccontextmanager
    async def consumer(self) -> AsyncIterator[Consumer]:
        await self.broker_ready()
        yield self  # type: ignore[misc]

    async def next_batch(self) -> Sequence[Delivery]:
        while True:
            await asyncio.sleep(0.01)
            await self.broker_ready()

    async def handle(self, _: Sequence[Delivery]) -> list[Outcome]:
        raise NotImplementedError

    async def set_aside(self, _: Delivery, __: Exception) -> None:
        raise NotImplementedError


def relaying(world: World) -> RelayingService:
    return RelayingService("publisher urgent", world, lambda _: None, world.broker_ready, fault_pause_seconds=0.05)  # type: ignore[arg-type]


def consuming(world: World) -> ConsumingService:
    return ConsumingService("at.ncp", world.consumer, world.handle, world.check, lambda _: None, world.set_aside, 0.05)


async def comes_to(service: RelayingService | ConsumingService, state: str, code: str | None) -> None:
    async with asyncio.timeout(5):
        while (service.state.state, service.state.code) != (state, code):  # noqa: ASYNC110 -- as it comes
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(service: RelayingService | ConsumingService) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield
    finally:
        stop.set()
        async with asyncio.timeout(2):
            await task


@pytest.mark.parametrize("make", [relaying, consuming])
@pytest.mark.parametrize(
    ("trouble", "state", "code"),
    [
        ({"broker": BLOCKED}, "blocked", "E_BROKER_BLOCKED"),
        ({"broker": AWAY}, "waiting_for_broker", "E_BROKER_UNREACHABLE"),
        ({"broker": UnavailableError("E_SECRET_FILE", "x")}, "waiting_for_broker", "E_SECRET_FILE"),
        ({"database": DATABASE}, "waiting_for_database", "E_DATABASE_FULL"),
        ({"broker": ZeroDivisionError("words")}, "faulty", "E_FAULT"),
    ],
)
async def test_a_service_says_what_it_waits_for_and_runs_again_by_itself(
    make: type, trouble: dict[str, Exception], state: str, code: str
) -> None:
    world = World(**trouble)
    service = make(world)
    with capture_logs() as logs:
        async with running(service):
            await comes_to(service, state, code)
            since = service.state.since
            await asyncio.sleep(0.3)
            assert (service.state.state, service.state.since) == (state, since)

            world.broker = world.database = None
            await comes_to(service, "running", None)
            assert service.state.since > since
            assert service.state.detail is None
    assert service.state.state == "stopped"
    assert service.state.name == service.name
    assert len([line for line in logs if line["event"] == "service.unavailable"]) == (0 if state == "faulty" else 1)
    assert "words" not in str(service.state) + str(logs)


async def test_while_the_broker_takes_nothing_no_row_is_claimed() -> None:
    world = World(broker=BLOCKED)
    async with running(relaying(world)):
        await asyncio.sleep(0.4)
        assert world.relayed == 0


async def test_work_gets_its_grace_after_a_stop_and_no_more() -> None:
    stop = asyncio.Event()
    stop.set()

    assert await unless_stopped(stop, asyncio.sleep(0.05, "done"), grace_seconds=2) == "done"
    with pytest.raises(Stopped):
        await unless_stopped(stop, asyncio.sleep(5), grace_seconds=0.05)


def test_pauses_grow_to_the_longest_and_begin_anew() -> None:
    patience = Patience(0.2, 5.0)
    pauses = [patience.next_pause_seconds() for _ in range(40)]

    assert 0.1 <= pauses[0] <= 0.2
    assert all(2.5 <= pause <= 5.0 for pause in pauses[5:])
    patience.reset()
    assert patience.next_pause_seconds() <= 0.2
