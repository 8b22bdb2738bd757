"""The consuming loop without a broker: what it does when handlers, database or broker fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from structlog.testing import capture_logs

from bridge.app.receiving.outcomes import Outcome
from bridge.core.errors import UnavailableError
from bridge.core.verification import Hints
from bridge.ports.broker import Delivery
from bridge.services.consuming import MOST_LEFT, MOST_TRIES, ConsumingService

SECRET = b"the body of an alert"


def delivery(tag: int) -> Delivery:
    wire_bytes = SECRET + str(tag).encode()
    return Delivery(tag, "country.at.normal", wire_bytes, Hints("id", "route_alert", "rs.ncp"), redelivered=False)


@dataclass
class ListBroker:
    """Keeps what was not acknowledged, and hands it out anew to each subscription."""

    kept: list[Delivery]
    batch: int = 10
    subscriptions: int = 0
    in_hand: list[Delivery] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    away: list[Exception] = field(default_factory=list)

    @asynccontextmanager
    async def subscribe(self) -> AsyncIterator[ListBroker]:
        if self.away:
            raise self.away.pop(0)
        self.subscriptions += 1
        self.in_hand = list(self.kept)
        yield self

    async def next_batch(self) -> Sequence[Delivery]:
        while not self.in_hand:
            self.arrived.clear()
            await self.arrived.wait()
        batch, self.in_hand = self.in_hand[: self.batch], self.in_hand[self.batch :]
        return batch

    async def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        tags = {delivery.tag for delivery in deliveries}
        self.kept = [delivery for delivery in self.kept if delivery.tag not in tags]

    async def give_back(self, deliveries: Sequence[Delivery]) -> None:
        raise NotImplementedError

    def publish(self, *deliveries: Delivery) -> None:
        self.kept += deliveries
        self.in_hand += deliveries
        self.arrived.set()


@dataclass
class Handler:
    """A use case that fails for some deliveries, in a way that nobody foresaw."""

    poisonous: set[int] = field(default_factory=set)
    handled: list[int] = field(default_factory=list)
    set_aside: list[int] = field(default_factory=list)
    calls: int = 0

    async def handle(self, batch: Sequence[Delivery]) -> list[Outcome]:
        self.calls += 1
        if self.poisonous & {delivery.tag for delivery in batch}:
            raise ZeroDivisionError(SECRET.decode())
        self.handled += [delivery.tag for delivery in batch]
        return [Outcome.ACCEPTED] * len(batch)

    async def keep(self, delivery: Delivery, error: Exception) -> None:
        assert isinstance(error, ZeroDivisionError)
        self.set_aside.append(delivery.tag)


async def database_is_there() -> None:
    return


@asynccontextmanager
async def running(service: ConsumingService) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(service.run(stop))
    try:
        yield
        assert not task.done()
    finally:
        stop.set()
        async with asyncio.timeout(2):
            await task


async def settle(seconds: float = 0.05) -> None:
    await asyncio.sleep(seconds)


def service(broker: ListBroker, handler: Handler, **given: object) -> ConsumingService:
    made = {
        "check": database_is_there,
        "ready": lambda _: None,
        "set_aside": handler.keep,
        "fault_pause_seconds": 60.0,
    } | given
    return ConsumingService("subscriber at", broker.subscribe, handler.handle, **made)  # type: ignore[arg-type]


async def test_a_message_that_nobody_foresaw_stays_with_the_broker_and_the_others_flow() -> None:
    # given
    broker, handler = ListBroker([delivery(tag) for tag in range(30)]), Handler(poisonous={4, 21})

    # when
    async with running(service(broker, handler)):
        await settle()
        broker.publish(delivery(30))
        await settle()

    # then
    assert handler.handled == [tag for tag in range(31) if tag not in {4, 21}]
    assert [left.tag for left in broker.kept] == [4, 21]
    assert broker.subscriptions == 1


async def test_what_was_left_is_tried_again_after_the_pause() -> None:
    # given
    broker, handler = ListBroker([delivery(1), delivery(2)]), Handler(poisonous={1})
    async with running(service(broker, handler, fault_pause_seconds=0.15)):
        await settle()
        assert [left.tag for left in broker.kept] == [1]

        # when
        handler.poisonous.clear()
        await settle(0.3)

    # then
    assert broker.kept == []
    assert broker.subscriptions == 2


async def test_what_fails_again_and_again_is_set_aside_and_goes_round_no_more() -> None:
    # given
    broker, handler = ListBroker([delivery(1), delivery(2)]), Handler(poisonous={1})

    # when
    async with running(service(broker, handler, fault_pause_seconds=0.001)), asyncio.timeout(10):
        while broker.kept:  # noqa: ASYNC110 -- as it comes
            await asyncio.sleep(0.01)

    # then
    assert (handler.set_aside, handler.handled) == ([1], [2])
    assert broker.subscriptions == MOST_TRIES


async def test_what_cannot_be_set_aside_either_stays_with_the_broker() -> None:
    # given
    async def fail(_: Delivery, __: Exception) -> None:
        raise LookupError

    broker, handler = ListBroker([delivery(1)]), Handler(poisonous={1})

    # when
    async with (
        running(service(broker, handler, fault_pause_seconds=0.001, set_aside=fail)),
        asyncio.timeout(10),
    ):
        while broker.subscriptions < MOST_TRIES + 3:  # noqa: ASYNC110 -- as it comes
            await asyncio.sleep(0.01)

    # then
    assert [left.tag for left in broker.kept] == [1]


async def test_a_fault_is_logged_by_kind_and_place_without_a_word_of_the_message() -> None:
    # given
    broker, handler = ListBroker([delivery(1)]), Handler(poisonous={1})

    # when
    with capture_logs() as logs:
        async with running(service(broker, handler)):
            await settle()

    # then
    (fault,) = [line for line in logs if line["event"] == "service.fault"]
    assert (fault["error"], fault["queue"], fault["service"]) == (
        "ZeroDivisionError",
        "country.at.normal",
        "subscriber at",
    )
    assert str(fault["path"]).startswith("services/test_consuming_faults.py:")
    assert SECRET.decode() not in str(logs)


async def test_when_everything_fails_it_does_not_spin() -> None:
    # given
    broker = ListBroker([delivery(tag) for tag in range(500)])
    handler = Handler(poisonous=set(range(500)))

    # when
    async with running(service(broker, handler)):
        await settle(0.2)

    # then: one subscription, given up with what it may leave, and a pause
    assert broker.subscriptions == 1
    assert handler.calls == MOST_LEFT + MOST_LEFT // 10
    assert len(broker.kept) == 500


async def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_consumed() -> None:
    # given
    broker, handler = ListBroker([delivery(1)]), Handler()
    away = True

    async def check() -> None:
        if away:
            raise UnavailableError("E_DATABASE", "away")

    async with running(service(broker, handler, check=check)):
        await settle(0.3)
        assert (broker.subscriptions, handler.calls) == (0, 0)

        # when
        away = False
        await settle(1.5)

    # then
    assert broker.kept == []


@pytest.mark.parametrize("error", [UnavailableError("E_BROKER_LOST", "lost"), RuntimeError("the library's own")])
async def test_a_broker_that_cannot_be_consumed_is_tried_again(error: Exception) -> None:
    # given
    broker, handler = ListBroker([delivery(1)], away=[error]), Handler()

    # when
    async with running(service(broker, handler, fault_pause_seconds=0.2)):
        await settle(0.5)

    # then
    assert handler.handled == [1]


async def test_it_is_ready_once_it_has_subscribed_and_not_before() -> None:
    # given
    broker, handler = ListBroker([], away=[UnavailableError("E_BROKER_LOST", "lost")]), Handler()
    ready: list[int] = []

    # when
    async with running(service(broker, handler, ready=lambda _: ready.append(broker.subscriptions))):
        await settle()
        before = list(ready)
        await settle(0.4)

    # then
    assert (before, ready) == ([], [1])


async def test_a_batch_that_was_begun_is_finished_and_acknowledged_before_it_stops() -> None:
    # given
    broker, begun = ListBroker([delivery(1)]), asyncio.Event()

    async def slowly(batch: Sequence[Delivery]) -> list[Outcome]:
        begun.set()
        await asyncio.sleep(0.2)
        return [Outcome.ACCEPTED] * len(batch)

    consuming = ConsumingService("s", broker.subscribe, slowly, database_is_there, lambda _: None, Handler().keep)

    # when
    async with running(consuming):
        await begun.wait()

    # then
    assert broker.kept == []
