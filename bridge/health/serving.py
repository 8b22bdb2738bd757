"""Serves a process's health from its start to its end, drain included.

The socket in the node's folder is always there; where it cannot be (a full disk) the process says so and works without.
TCP is served where the settings say so. It has no login: whoever reaches the port reads the states. Each of the two has
a server of its own, and a connection lasts seconds: whoever fills the port up keeps the socket from nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bridge.app.checks.process_health import ProcessHealth
from bridge.core.errors import UnavailableError
from bridge.health.answers import health_app
from bridge.health.places import listen, remove

MOST_CONNECTIONS: Final = 64  # of one listener; the next one is closed at once
CONNECTION_SECONDS: Final = 10.0  # from its beginning, idle or not: an answer takes two
STOP_SECONDS: Final = 1

_log = structlog.get_logger()


class _BriefConnection(H11Protocol):
    """One of a bounded number, and closed in time; uvicorn itself waits for a first request for ever."""

    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Closes what is one too many."""
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.close()
        else:
            self._end = self.loop.call_later(CONNECTION_SECONDS, transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends with it."""
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """The server without its own signal handling: SIGTERM is the services' affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@asynccontextmanager
async def serving(health: ProcessHealth, *, folder: Path, address: tuple[str, int] | None) -> AsyncIterator[None]:
    """Answers for as long as it is entered.

    Args:
        health: what is told.
        folder: the node's, where the socket goes.
        address: host and port for TCP; `None`: the socket only.

    Raises:
        UnavailableError: `E_HEALTH_ADDRESS`, the address cannot be listened at.
    """
    sockets = [] if address is None else [_listen_at(*address)]
    try:
        own, role = listen(folder, health.role)
        sockets.append(own)
    except OSError as error:
        role = ""
        _log.error("health.unavailable", path=str(folder), reason=error.strerror)
    servers = [_server(health) for _ in sockets]
    answering = [
        asyncio.create_task(server.serve(sockets=[own]), name="health")
        for server, own in zip(servers, sockets, strict=True)
    ]
    try:
        yield
    finally:
        for server in servers:
            server.should_exit = True
        if answering:
            await asyncio.wait(answering)
        if role:
            remove(folder, role)
        await health.close()


def _server(health: ProcessHealth) -> _Server:
    config = uvicorn.Config(
        health_app(health),
        http=_BriefConnection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    return _Server(config)


def _listen_at(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        detail = f"[health] listen: {host}:{port}: {error.strerror}; a second process on this machine takes another"
        raise UnavailableError("E_HEALTH_ADDRESS", f"{detail} port (NCP_BRIDGE_HEALTH__LISTEN)") from None
