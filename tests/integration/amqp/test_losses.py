"""The loss matrix: whatever happens to broker, connection, queue or account is noticed in time and ends by itself.

Somebody publishes, or consumes, all the while, on the adapter alone: what it is told is noted with its time. Each test
provokes one trouble, asks when it was noticed and as what, and waits until messages flow again; nothing is restarted or
opened anew by hand. What is noticed how fast is told in docs/operations.md.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import aiormq.exceptions
import pytest
from amqp_world import NORMAL, URGENT, cut_connections, delete, eventually, management, publication, publish_raw
from broker_troubles import Account, alarm, restart, silent
from servers.broker_fixtures import topology_of

from bridge.adapters.amqp.consumer import AmqpConsumer
from bridge.adapters.amqp.definitions import definitions
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.publisher import AmqpPublisher
from bridge.adapters.amqp.session import AmqpSession
from bridge.core.errors import UnavailableError
from bridge.ports.broker import PublishOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from servers.broker_fixtures import VirtualHost

    from broker import Access

AT_ONCE_SECONDS = 1.0
HEARTBEAT_SECONDS = 1
SILENCE_SECONDS = 3 * (HEARTBEAT_SECONDS + 1) + 2.0  # and the turn of the library's own clock
BACK_SECONDS = 20.0


@dataclass
class Watch:
    """What a publisher or consumer was told, and when; `flow` answers once a message has passed since it was asked."""

    session: AmqpSession
    passed: int = 0
    troubles: list[tuple[float, str]] = field(default_factory=list)

    async def look(self) -> None:
        """Notes what the session itself says: between two publishes a loss meets nobody."""
        before = self.session.status
        while True:
            status = self.session.status
            if status.connected and status.connects > before.connects:
                self.told("connected anew")
            elif status.state != before.state:
                self.told(status.code or status.state)
            before = status
            await asyncio.sleep(0.005)

    def told(self, code: str) -> None:
        self.troubles.append((time.monotonic(), code))

    async def notices(self, since: float, *, within_seconds: float) -> set[str]:
        """The codes of what was noticed from then on; fails where that takes longer."""
        async with asyncio.timeout(max(0.0, since + within_seconds - time.monotonic())):
            while not (codes := {code for at, code in self.troubles if at >= since}):  # noqa: ASYNC110 -- as it comes
                await asyncio.sleep(0.01)
        print(f"\nnoticed after {min(at for at, _ in self.troubles if at >= since) - since:.3f} s: {codes}")  # noqa: T201
        return codes

    async def comes_to(self, code: str) -> None:
        """Waits until this is what it is told."""
        async with asyncio.timeout(BACK_SECONDS):
            while not self.troubles or self.troubles[-1][1] != code:  # noqa: ASYNC110 -- as it comes
                await asyncio.sleep(0.01)

    async def flows(self) -> None:
        begun, before = time.monotonic(), self.passed
        async with asyncio.timeout(BACK_SECONDS):
            while self.passed == before:  # noqa: ASYNC110 -- as it comes
                await asyncio.sleep(0.01)
        print(f"flows again after {time.monotonic() - begun:.3f} s")  # noqa: T201
        assert self.session.status.state == "connected"
        assert self.session.status.code is None


Watching = "Callable[[VirtualHost, Callable[[], Login] | None], AbstractAsyncContextManager[Watch]]"


@asynccontextmanager
async def publishing_on(vhost: VirtualHost, login: Callable[[], Login] | None = None) -> AsyncIterator[Watch]:
    login = login or (lambda: Login([vhost.url("rs-relay")]))
    async with AmqpSession(login, name="test out", heartbeat_seconds=HEARTBEAT_SECONDS) as session:
        publisher, watch = AmqpPublisher(session), Watch(session)

        async def turn() -> None:
            await publisher.ready()
            (outcome,) = await publisher.publish([publication()])
            if outcome is PublishOutcome.CONFIRMED:
                watch.passed += 1
            else:
                watch.told(outcome.value)
            await asyncio.sleep(0.02)

        async with _turning(watch, turn):
            yield watch


@asynccontextmanager
async def consuming_on(vhost: VirtualHost, login: Callable[[], Login] | None = None) -> AsyncIterator[Watch]:
    login = login or (lambda: Login([vhost.url("at-router")]))
    async with AmqpSession(login, name="test in", heartbeat_seconds=HEARTBEAT_SECONDS) as session:
        consumer, watch = AmqpConsumer(session, (URGENT, NORMAL)), Watch(session)

        async def turn() -> None:
            batch = await consumer.next_batch()
            await consumer.acknowledge(batch)
            watch.passed += len(batch)

        async def feed() -> None:
            while True:
                await asyncio.sleep(0.1)
                with suppress(aiormq.exceptions.AMQPError, OSError, RuntimeError):
                    await publish_raw(vhost, b"{}")

        feeding = asyncio.create_task(feed())
        try:
            async with _turning(watch, turn):
                yield watch
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)
            await consumer.close()


@asynccontextmanager
async def _turning(watch: Watch, turn: Callable[[], object]) -> AsyncIterator[None]:
    async def turn_on() -> None:
        while True:
            try:
                await turn()  # type: ignore[misc]
            except UnavailableError as error:
                watch.told(error.code)
                await asyncio.sleep(0.05)

    turning = asyncio.create_task(turn_on())
    try:
        await watch.flows()
        looking = asyncio.create_task(watch.look())
        yield
        assert not turning.done()
    finally:
        for task in (turning, looking):
            task.cancel()
        await asyncio.gather(turning, looking, return_exceptions=True)


both = pytest.mark.parametrize("watching", [publishing_on, consuming_on], ids=["publishing", "consuming"])


@both
async def test_a_cut_connection_is_noticed_at_once(vhost: VirtualHost, watching: Watching) -> None:
    async with watching(vhost) as watch:
        begun = time.monotonic()
        await cut_connections(vhost)

        codes = await watch.notices(begun, within_seconds=time.monotonic() - begun + AT_ONCE_SECONDS)
        assert codes <= {"E_BROKER_LOST", "unknown", "connected anew"}
        await watch.flows()


@both
async def test_a_peer_that_falls_silent_is_noticed_within_three_heartbeats(
    vhost: VirtualHost, broker_node: Access, watching: Watching
) -> None:
    async with watching(vhost) as watch:
        with silent(broker_node):
            begun = time.monotonic()
            codes = await watch.notices(begun, within_seconds=SILENCE_SECONDS)

        assert codes <= {"E_BROKER_LOST", "E_BROKER_UNREACHABLE", "unknown"}
        await watch.flows()


@pytest.mark.parametrize("kind", ["disk", "memory"])
async def test_an_alarm_of_the_broker_is_noticed_by_whoever_publishes_and_named(
    vhost: VirtualHost, broker_node: Access, kind: str
) -> None:
    async with publishing_on(vhost) as watch:
        begun = time.monotonic()
        async with alarm(broker_node, kind):
            # The block itself is told in a frame, long before the publish in flight meets its deadline.
            async def is_blocked() -> bool:
                return watch.session.status.state == "blocked"

            await eventually(is_blocked)
            print(f"\nblocked after {time.monotonic() - begun:.3f} s")  # noqa: T201
            assert watch.session.status.code == "E_BROKER_BLOCKED"
            assert watch.session.status.connected
            await watch.comes_to("E_BROKER_BLOCKED")
        await watch.flows()
        assert watch.session.status.connects == 1


@pytest.mark.parametrize("kind", ["disk", "memory"])
async def test_an_alarm_of_the_broker_does_not_stop_consuming(
    vhost: VirtualHost, broker_node: Access, kind: str
) -> None:
    async with AmqpSession(vhost.url("at-router"), name="test in") as session:
        consumer = AmqpConsumer(session, (NORMAL,))
        for number in range(5):
            await publish_raw(vhost, f"{number}".encode())
        async with alarm(broker_node, kind), asyncio.timeout(5):
            taken = 0
            while taken < 5:
                batch = await consumer.next_batch()
                await consumer.acknowledge(batch)
                taken += len(batch)
            assert session.status.state == "connected"
        await consumer.close()


async def test_a_consumer_that_the_broker_cancels_is_noticed_at_once(vhost: VirtualHost) -> None:
    async with consuming_on(vhost) as watch:
        # A queue that is there again within some 40 ms may keep its consumer (3.10): then there is nothing to notice.
        begun = time.monotonic()
        await asyncio.to_thread(delete, vhost, "queues", URGENT)

        # Connection and channel stay: only the broker's cancel tells that there was something.
        assert "E_BROKER_MISSING" in await watch.notices(begun, within_seconds=AT_ONCE_SECONDS)
        await asyncio.to_thread(restore_topology, vhost)
        await watch.flows()
        assert watch.session.status.connects == 1


async def test_a_queue_that_is_deleted_is_named_until_it_is_there_again(vhost: VirtualHost) -> None:
    async with consuming_on(vhost) as consuming, publishing_on(vhost) as publishing:
        # when
        begun = time.monotonic()
        await asyncio.to_thread(delete, vhost, "queues", NORMAL)

        # then
        assert await consuming.notices(begun, within_seconds=AT_ONCE_SECONDS) == {"E_BROKER_MISSING"}
        await publishing.notices(begun, within_seconds=AT_ONCE_SECONDS)  # 3.10 may drop the connection in this moment
        await publishing.comes_to("unroutable")
        assert consuming.troubles[-1][1] == "E_BROKER_MISSING"

        # and then
        await asyncio.to_thread(restore_topology, vhost)
        await consuming.flows()
        await publishing.flows()


@both
async def test_a_restart_of_the_broker_is_noticed_at_once(
    vhost: VirtualHost, broker_node: Access, watching: Watching
) -> None:
    async with watching(vhost) as watch:
        begun = time.monotonic()
        await restart(broker_node)

        async with asyncio.timeout(BACK_SECONDS):
            codes = await watch.notices(begun, within_seconds=BACK_SECONDS)
        assert codes <= {"E_BROKER_LOST", "E_BROKER_UNREACHABLE", "E_BROKER_MISSING", "unknown"}
        await watch.flows()


@both
async def test_a_password_that_was_changed_is_taken_from_its_file_without_a_restart(
    vhost: VirtualHost, tmp_path: Path, watching: Watching
) -> None:
    account, file = Account(vhost), tmp_path / "password"
    account.set_password("the first")
    file.write_text("the first")
    try:
        async with watching(vhost, lambda: account.login(file.read_text())) as watch:
            # when: the broker has the new one, the file not yet
            account.set_password("the second")
            await cut_connections(vhost)

            # then
            await watch.comes_to("E_BROKER_CREDENTIALS")
            assert watch.session.status.code == "E_BROKER_CREDENTIALS"

            # and then
            file.write_text("the second")
            await watch.flows()
    finally:
        account.delete()


@both
async def test_an_account_that_was_deleted_is_noticed_and_works_once_it_is_there_again(
    vhost: VirtualHost, watching: Watching
) -> None:
    account = Account(vhost)
    account.set_password("a password")
    try:
        async with watching(vhost, lambda: account.login("a password")) as watch:
            # when
            begun = time.monotonic()
            account.delete()

            # then
            await watch.notices(begun, within_seconds=AT_ONCE_SECONDS)
            await watch.comes_to("E_BROKER_CREDENTIALS")

            # and then
            account.set_password("a password")
            await watch.flows()
    finally:
        account.delete()


def restore_topology(vhost: VirtualHost) -> None:
    """As `topology apply` does."""
    management(vhost).load(definitions(topology_of(vhost.countries, vhost.passwords), vhost=vhost.name))
