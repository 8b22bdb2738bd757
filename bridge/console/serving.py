"""Serves the console as one of a process's services: ready when it listens, drained when it is asked to stop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from bridge.core.errors import UnavailableError

MOST_CONNECTIONS: Final = 512
MOST_HEADER_BYTES: Final = 64 * 1024
KEEP_ALIVE_SECONDS: Final = 30
DRAIN_SECONDS: Final = 5


class _Server(uvicorn.Server):
    """The server without its own signal handling: SIGTERM is the services' affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@dataclass(frozen=True, slots=True)
class ConsoleService:
    """The console at its address.

    Attributes:
        place: host and port.
        files: certificate and key, where it serves TLS itself.
        ready: called with the service's name once it listens.
    """

    name: str
    app: ASGIApp
    place: tuple[str, int]
    files: tuple[Path, Path] | None
    ready: Callable[[str], None]

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; what is being answered is finished.

        Raises:
            UnavailableError: `E_CONSOLE_ADDRESS`.
        """
        listening = self._listen()
        certificate, key = self.files or (None, None)
        config = uvicorn.Config(
            self.app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=MOST_HEADER_BYTES,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        self.ready(self.name)
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            server.should_exit = True
            await serving
        finally:
            stopping.cancel()
            serving.cancel()
            listening.close()

    def _listen(self) -> socket.socket:
        host, port = self.place
        try:
            return socket.create_server(self.place, family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            detail = f"[console] listen: {host}:{port}: {error.strerror}; another process takes another port"
            raise UnavailableError("E_CONSOLE_ADDRESS", f"{detail} (NCP_BRIDGE_CONSOLE__LISTEN)") from None
