"""One connection to the broker under our own supervision.

While the session is open, a task of its own keeps connecting, with capped and jittered back-off, and learns of every
loss through the connection's close callback: in milliseconds of a cut, within three heartbeats of a silent peer.
Publisher and consumer open their channels anew on the next connection; the session restores nothing, replays nothing.

Publishing and consuming take a session each: a broker that blocks publishers must not keep acknowledgements waiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

import aio_pika
import stamina
from aiormq.channel import Channel

from bridge.adapters.amqp.faults import broker_calls, unavailable
from bridge.adapters.amqp.unreadable import tolerate_unreadable_properties
from bridge.core.errors import UnavailableError

HEARTBEAT_SECONDS: Final = 5  # a silent peer is given up after 3 x (5 + 1) seconds
DEADLINE_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0  # a broker that does not answer must not keep anybody from stopping
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 15.0
PAUSE_JITTER_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """What `status`, readiness and metrics read.

    Attributes:
        connected: whether there is a connection now.
        connects: how often there has been one since the session was opened.
        failure: why there is none, once an attempt has failed or a connection was lost.
    """

    connected: bool
    connects: int
    failure: UnavailableError | None


@dataclass
class _Link:
    """A live connection and the future that its loss resolves."""

    connection: aio_pika.abc.AbstractConnection
    lost: asyncio.Future[BaseException | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @property
    def is_gone(self) -> bool:
        """Whether the library has closed the connection."""
        transport = self.connection.transport
        return transport is None or transport.connection.is_closed

    def on_close(self, _: object, reason: BaseException | None = None) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)


class AmqpSession:
    """Keeps one connection while it is entered as an async context manager.

    Args:
        url: `amqp://` or `amqps://`; with `?auth=external` and `ssl_context` the certificate logs in.
        name: shown in the broker's list of connections.
        deadline_seconds: for an attempt to connect, for opening a channel, and for waiting until there is a connection.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        ssl_context: ssl.SSLContext | None = None,
        heartbeat_seconds: int = HEARTBEAT_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self.url = url
        self.name = name
        self.deadline_seconds = deadline_seconds
        self._ssl_context = ssl_context
        self._heartbeat_seconds = heartbeat_seconds
        self._link: _Link | None = None
        self._connected = asyncio.Event()
        self._connects = 0
        self._failure: UnavailableError | None = None
        self._supervisor: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._supervisor = asyncio.create_task(self._supervise(), name=f"session {self.name}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._supervisor is not None:
            self._supervisor.cancel()
            await asyncio.wait([self._supervisor])

    @property
    def status(self) -> SessionStatus:
        """The state now."""
        return SessionStatus(connected=self._link is not None, connects=self._connects, failure=self._failure)

    async def open_channel(self, *, confirms: bool) -> Channel:
        """A new channel on the live connection; waits for one at most the deadline.

        The channel is the library's inner one: batched writes and acknowledgements are out of the outer one's reach.

        Raises:
            UnavailableError: there is no connection, with the reason that the last attempt gave.
        """
        link = await self._linked()
        async with self.calling():
            transport = link.connection.transport
            if transport is None:
                raise ConnectionError
            channel = await transport.connection.channel(publisher_confirms=confirms)
        if not isinstance(channel, Channel):
            raise TypeError(type(channel).__name__)
        return channel

    def calling(self) -> AbstractAsyncContextManager[None]:
        """Around calls on the broker: bounds them by the deadline and raises `UnavailableError` for what they raise."""
        return broker_calls(self.url, deadline_seconds=self.deadline_seconds)

    def unavailable(self, error: BaseException | None) -> UnavailableError:
        """The bridge's error for what the library reported on this session."""
        return unavailable(error, url=self.url)

    async def _linked(self) -> _Link:
        if self._supervisor is None or self._supervisor.done():
            message = f"the session {self.name} is not open"
            raise RuntimeError(message) from self._fault()
        try:
            async with self.calling():
                while (link := self._link) is None or link.is_gone:
                    self._connected.clear()  # it may be gone before its close callback has told us
                    await self._connected.wait()
        except UnavailableError as error:
            raise self._failure or error from None
        return link

    def _fault(self) -> BaseException | None:
        """What ended the supervisor, where that was not us: a fault of its own."""
        supervisor = self._supervisor
        return supervisor.exception() if supervisor is not None and not supervisor.cancelled() else None

    async def _supervise(self) -> None:
        while True:
            link = await self._connect()
            try:
                reason = await link.lost
                self._failure = self.unavailable(reason)
            finally:
                self._link = None
                self._connected.clear()
                await self._close(link)

    async def _connect(self) -> _Link:
        tolerate_unreadable_properties()
        attempts = stamina.retry_context(
            on=UnavailableError,
            attempts=None,
            timeout=None,
            wait_initial=FIRST_PAUSE_SECONDS,
            wait_max=LONGEST_PAUSE_SECONDS,
            wait_jitter=PAUSE_JITTER_SECONDS,
        )
        async for attempt in attempts:
            with attempt:
                self._link = await self._attempt()
        if self._link is None:
            raise RuntimeError(self.name)
        self._connects += 1
        self._failure = None
        self._connected.set()
        return self._link

    async def _attempt(self) -> _Link:
        try:
            async with self.calling():
                connection = await aio_pika.connect(
                    self.url, ssl_context=self._ssl_context, heartbeat=self._heartbeat_seconds, name=self.name
                )
        except UnavailableError as error:
            self._failure = error
            raise
        link = _Link(connection)
        connection.close_callbacks.add(link.on_close)
        return link

    async def _close(self, link: _Link) -> None:
        with contextlib.suppress(UnavailableError):  # it is gone either way
            async with broker_calls(self.url, deadline_seconds=CLOSE_SECONDS):
                await link.connection.close()
