"""Serves a process's health from its start to its end, drain included.

The socket in the node's folder is always there; where it cannot be (a full disk) the process says so and works without.
TCP is served where the settings say so. It has no login: whoever reaches the port reads the states.
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

from bridge.app.checks.process_health import ProcessHealth
from bridge.core.errors import UnavailableError
from bridge.health.answers import health_app
from bridge.health.places import listen, remove

MOST_CONNECTIONS: Final = 64
STOP_SECONDS: Final = 1

_log = structlog.get_logger()


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
    config = uvicorn.Config(
        health_app(health),
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    server = _Server(config)
    answering = asyncio.create_task(server.serve(sockets=sockets), name="health")
    try:
        yield
    finally:
        server.should_exit = True
        await asyncio.wait([answering])
        if role:
            remove(folder, role)
        await health.close()


def _listen_at(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        detail = f"[health] listen: {host}:{port}: {error.strerror}; a second process on this machine takes another"
        raise UnavailableError("E_HEALTH_ADDRESS", f"{detail} port (NCP_BRIDGE_HEALTH__LISTEN)") from None
