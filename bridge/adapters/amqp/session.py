"""One connection to the broker under our own supervision.

While the session is open, a task of its own keeps connecting, with capped and jittered back-off, and learns of every
loss through the connection's close callback: in milliseconds of a cut, within three heartbeats of a silent peer.
Publisher and consumer open their channels anew on the next connection; the session restores nothing, replays nothing.

Where the broker is, and with which password or certificate, is asked again before every attempt: a cluster's nodes are
tried in turn, beginning behind the one that failed last, and changed credentials need no restart.

A connection whose certificate was replaced gets a successor first and is closed then. A successor that the broker
refuses leaves it as it is; a broker that no longer proves to be this network's is left.

Publishing and consuming take a session each: a broker that blocks publishers must not keep acknowledgements waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Final, Literal, Self

import stamina
import structlog
from aiormq.channel import Channel

from bridge.adapters.amqp.faults import IMPOSTOR, broker_calls, unavailable
from bridge.adapters.amqp.link import Link
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.unreadable import tolerate_unreadable_properties
from bridge.core.errors import UnavailableError

HEARTBEAT_SECONDS: Final = 5  # a silent peer is given up after 3 x (5 + 1) seconds
DEADLINE_SECONDS: Final = 10.0
ONE_OF_SEVERAL_SECONDS: Final = 4.0  # for a node that does not answer, where there is another to try
WAIT_SECONDS: Final = 2.0  # for a connection that is being made; whoever gives up says why, and comes again
FIRST_PAUSE_SECONDS: Final = 0.05
LONGEST_PAUSE_SECONDS: Final = 5.0
PAUSE_JITTER_SECONDS: Final = 0.5

SessionState = Literal["connected", "connecting", "blocked"]
BLOCKED: Final = UnavailableError(
    "E_BROKER_BLOCKED", "the broker takes no messages now: an alarm of its memory or disk"
)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SessionStatus:
    """What `status`, readiness and metrics read.

    Attributes:
        state: `blocked` while the broker has told that it takes no publishes (an alarm of its memory or disk); it still
            hands messages out and takes acknowledgements.
        since: when this state began.
        connects: how often there has been a connection since the session was opened.
        failure: why there is none, once an attempt has failed or a connection was lost; or the block.
    """

    state: SessionState
    since: datetime
    connects: int
    failure: UnavailableError | None

    @property
    def connected(self) -> bool:
        """Whether there is a connection now, blocked or not."""
        return self.state != "connecting"

    @property
    def code(self) -> str | None:
        """The failure's stable code."""
        return self.failure.code if self.failure is not None else None


class AmqpSession:
    """Keeps one connection while it is entered as an async context manager.

    Args:
        login: asked before each round of attempts; its `UnavailableError` is a failed round. Or a URL with a password.
        name: shown in the broker's list of connections.
        deadline_seconds: for an attempt to connect and for opening a channel.
    """

    def __init__(
        self,
        login: str | Callable[[], Login],
        *,
        name: str,
        heartbeat_seconds: int = HEARTBEAT_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self.name = name
        self.deadline_seconds = deadline_seconds
        self._login: Callable[[], Login] = (lambda: Login((login,))) if isinstance(login, str) else login
        self._url = ""  # tried last
        self._turn = 0
        self._heartbeat_seconds = heartbeat_seconds
        self._link: Link | None = None
        self._connected = asyncio.Event()
        self._renewal = asyncio.Event()
        self._connects = 0
        self._state: SessionState = "connecting"
        self._since = datetime.now(UTC)
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
        return SessionStatus(self._state, self._since, self._connects, self._failure)

    @property
    def login_version(self) -> Hashable:
        """That of the login that made the live connection; `None` while there is none."""
        return self._link.login_version if self._link is not None else None

    def renew(self) -> None:
        """Asks for a successor of the live connection, made with what the login is now."""
        self._renewal.set()

    async def open_channel(self, *, confirms: bool) -> Channel:
        """A new channel on the live connection; waits a moment for one that is being made.

        The channel is the library's inner one: batched writes and acknowledgements are out of the outer one's reach.

        Raises:
            UnavailableError: there is no connection, with the reason that the last attempt gave.
        """
        link = await self._linked(min(self.deadline_seconds, WAIT_SECONDS))
        async with self.calling():
            channel = await link.connection.channel(publisher_confirms=confirms)
        if not isinstance(channel, Channel):
            raise TypeError(type(channel).__name__)
        return channel

    async def until_publishable(self, *, seconds: float) -> None:
        """Waits, at most so long, until there is a connection that the broker does not block.

        Raises:
            UnavailableError: why there is none; `E_BROKER_BLOCKED` while an alarm lasts.
        """
        link = await self._linked(seconds)
        try:
            async with broker_calls(self._url, deadline_seconds=seconds):
                await link.connection.ready()
        except UnavailableError as error:
            raise (BLOCKED if self._link is link else self._failure or error) from None

    def calling(self, *, seconds: float = float("inf")) -> AbstractAsyncContextManager[None]:
        """Around calls on the broker: bounds them, and raises `UnavailableError` for what they raise.

        The bound is the session's deadline, or fewer seconds.
        """
        return broker_calls(self._url, deadline_seconds=min(seconds, self.deadline_seconds))

    def unavailable(self, error: BaseException | None) -> UnavailableError:
        """The bridge's error for what the library reported on this session."""
        return unavailable(error, url=self._url)

    async def _linked(self, seconds: float) -> Link:
        if self._supervisor is None or self._supervisor.done():
            message = f"the session {self.name} is not open"
            raise RuntimeError(message) from self._fault()
        try:
            async with broker_calls(self._url, deadline_seconds=seconds):
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
        tolerate_unreadable_properties()
        try:
            while True:
                link = self._link or await self._connect()
                await self._hold(link)
                await link.close()
        finally:
            if self._link is not None:
                await self._link.close()

    async def _hold(self, link: Link) -> None:
        """Until the link is lost, or has a successor."""
        watch = asyncio.create_task(link.watch(self._on_block), name=f"blocks {self.name}")
        try:
            successor = await self._successor(link)
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        self._link = None
        self._connected.clear()
        if successor is not None:
            self._adopt(successor)

    async def _successor(self, link: Link) -> Link | None:
        """Waits for the loss of the link, and answers nothing then; or makes another one when it is to be renewed."""
        while True:
            renewal = asyncio.create_task(self._renewal.wait(), name=f"renewal {self.name}")
            ends: list[asyncio.Future[Any]] = [link.lost, renewal]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                renewal.cancel()
            if link.lost.done():
                self._enter("connecting", self.unavailable(link.lost.result()))
                self._turn += 1
                return None
            self._renewal.clear()
            try:
                return await self._try_each()
            except UnavailableError as error:
                _log.warning("session.not_renewed", name=self.name, code=error.code, detail=error.message)
                self._url = link.url
                if error.code == IMPOSTOR:
                    self._enter("connecting", error)
                    return None

    async def _connect(self) -> Link:
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
                try:
                    link = await self._try_each()
                except UnavailableError as error:
                    self._failure = error
                    raise
                self._renewal.clear()
                self._adopt(link)
                return link
        raise RuntimeError(self.name)

    def _adopt(self, link: Link) -> None:
        self._link = link
        self._connects += 1
        self._enter("connected", None)
        self._connected.set()

    async def _try_each(self) -> Link:
        """The first connection that succeeds, every address once."""
        login = self._login()
        urls = login.urls
        deadline_seconds = min(self.deadline_seconds, ONE_OF_SEVERAL_SECONDS if len(urls) > 1 else float("inf"))
        for left in reversed(range(len(urls))):
            self._url = urls[self._turn % len(urls)]
            try:
                return await Link.open(
                    self._url,
                    login=login,
                    name=self.name,
                    heartbeat_seconds=self._heartbeat_seconds,
                    deadline_seconds=deadline_seconds,
                )
            except UnavailableError:
                self._turn += 1
                if not left:
                    raise
        raise ValueError(self.name)

    def _on_block(self, is_blocked: bool) -> None:  # noqa: FBT001 - called by the link, with nothing else
        self._enter("blocked" if is_blocked else "connected", BLOCKED if is_blocked else None)

    def _enter(self, state: SessionState, failure: UnavailableError | None) -> None:
        self._state, self._since, self._failure = state, datetime.now(UTC), failure


@asynccontextmanager
async def all_open(sessions: Sequence[AmqpSession]) -> AsyncIterator[None]:
    """Opens the sessions, and closes them at the same time: each may wait for a silent broker."""
    for session in sessions:
        await session.__aenter__()
    try:
        yield
    finally:
        await asyncio.gather(*(session.__aexit__(None, None, None) for session in sessions))
