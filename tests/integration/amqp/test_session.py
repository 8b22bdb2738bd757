"""The session on a real broker: it comes back by itself, says why it cannot, and leaves nothing running."""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from amqp_world import cut_connections, eventually

from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.session import ONE_OF_SEVERAL_SECONDS, AmqpSession
from bridge.core.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from servers.broker_fixtures import VirtualHost

RIGHT = "of-a-throw-away-broker"
WRONG = "not-the-pass-word"


@pytest.fixture(autouse=True)
async def nothing_is_left() -> AsyncIterator[None]:
    """Every test here ends with the tasks that it began with."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0.05)  # the library's own tasks end a turn after their connection
    assert not asyncio.all_tasks() - before - {asyncio.current_task()}


async def test_a_cut_connection_is_replaced_and_counted(vhost: VirtualHost) -> None:
    async with AmqpSession(vhost.url("rs-relay"), name="test") as session:
        # given
        channel = await session.open_channel(confirms=True)
        assert (session.status.connected, session.status.connects) == (True, 1)

        # when
        await cut_connections(vhost)

        # then
        async def is_back() -> bool:
            return session.status.connects == 2

        await eventually(is_back)
        assert channel.is_closed
        assert not (await session.open_channel(confirms=True)).is_closed
        assert session.status.failure is None


async def test_a_channel_asked_for_at_the_moment_of_a_loss_is_one_of_the_next_connection(vhost: VirtualHost) -> None:
    async with AmqpSession(vhost.url("rs-relay"), name="test") as session:
        # given
        first = await session.open_channel(confirms=True)

        # when: nothing has told the session yet
        await first.connection.close()
        second = await session.open_channel(confirms=True)

        # then
        assert second.connection is not first.connection
        assert session.status.connects == 2


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ((RIGHT, WRONG), "E_BROKER_CREDENTIALS", r"refuses the account rs-relay$"),
        (
            ("/test-", "/nowhere-"),
            "E_BROKER_VHOST",
            r"does not let the account rs-relay into the virtual host nowhere-",
        ),
        ((r":\d+/test-", ":1/test-"), "E_BROKER_UNREACHABLE", r"cannot be reached: .*Connect call failed"),
    ],
    ids=["password", "virtual host", "port"],
)
async def test_why_there_is_no_connection_is_told_without_the_password(
    vhost: VirtualHost, change: tuple[str, str], code: str, sentence: str
) -> None:
    # given
    url = re.sub(*change, vhost.url("rs-relay"))

    # when
    async with AmqpSession(url, name="test", deadline_seconds=0.7) as session:
        with pytest.raises(UnavailableError, match=sentence) as caught:
            await session.open_channel(confirms=True)

        # then
        assert caught.value.code == code
        assert session.status.failure is not None
        assert session.status.failure.code == code
    for secret in (RIGHT, WRONG):
        assert secret not in caught.value.message
    assert caught.value.message.startswith("the broker at 127.0.0.1:")


async def test_a_session_that_was_refused_connects_once_it_may(vhost: VirtualHost) -> None:
    urls = [vhost.url("rs-relay").replace(RIGHT, WRONG)]
    async with AmqpSession(lambda: Login(urls), name="test", deadline_seconds=0.3) as session:
        # given
        with pytest.raises(UnavailableError):
            await session.open_channel(confirms=True)

        # when
        urls[0] = vhost.url("rs-relay")

        # then
        session.deadline_seconds = 10
        assert not (await session.open_channel(confirms=True)).is_closed


async def test_the_nodes_of_a_cluster_are_tried_in_turn(vhost: VirtualHost) -> None:
    # given: the first refuses connections, the second takes them and never says a word
    right = vhost.url("rs-relay")
    async with silent_place() as port:
        urls = [re.sub(r":\d+/test-", f":{other}/test-", right) for other in (1, port)] + [right]

        # when
        async with AmqpSession(lambda: Login(urls), name="test", deadline_seconds=10) as session:
            begun = time.monotonic()

            async def is_there() -> bool:
                return session.status.connected

            await eventually(is_there)

            # then
            assert time.monotonic() - begun < ONE_OF_SEVERAL_SECONDS + 2
            assert not (await session.open_channel(confirms=True)).is_closed

            # and then: after a loss the others come first, and it is found again all the same
            await cut_connections(vhost)

            async def is_back() -> bool:
                return session.status.connects == 2

            await eventually(is_back)


async def test_an_address_that_cannot_be_given_now_is_why_there_is_no_connection(vhost: VirtualHost) -> None:
    # given
    there = [False]

    def login() -> Login:
        if not there[0]:
            raise UnavailableError("E_SECRET_FILE", "the file is not there")
        return Login([vhost.url("rs-relay")])

    async with AmqpSession(login, name="test", deadline_seconds=0.2) as session:
        with pytest.raises(UnavailableError, match="the file is not there"):
            await session.open_channel(confirms=True)
        assert (session.status.state, session.status.code) == ("connecting", "E_SECRET_FILE")

        # when
        there[0] = True

        # then
        session.deadline_seconds = 10
        assert not (await session.open_channel(confirms=True)).is_closed
        assert (session.status.state, session.status.code) == ("connected", None)


@asynccontextmanager
async def silent_place() -> AsyncIterator[int]:
    """A port that takes connections and answers nothing."""
    writers = []

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in writers:
            writer.close()
        server.close()


async def test_a_session_that_is_not_open_says_so(vhost: VirtualHost) -> None:
    session = AmqpSession(vhost.url("rs-relay"), name="rs publisher")
    with pytest.raises(RuntimeError, match="the session rs publisher is not open"):
        await session.open_channel(confirms=True)


async def test_a_session_left_while_it_waits_for_a_broker_ends_at_once() -> None:
    async with asyncio.timeout(1), AmqpSession("amqp://a:b@127.0.0.1:1/", name="test") as session:
        await asyncio.sleep(0.1)
        assert not session.status.connected
