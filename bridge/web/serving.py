"""Serves an application as one of a process's services: ready when it listens, drained when it is asked to stop.

Whoever opens connections and says nothing, or a request letter by letter, is hung up on; bodies have their own limits
in the applications.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from bridge.core.errors import UnavailableError

MOST_CONNECTIONS: Final = 512
MOST_HEADER_BYTES: Final = 64 * 1024
KEEP_ALIVE_SECONDS: Final = 30
REQUEST_SECONDS: Final = 15.0  # for a request's head, from the connection or from its first byte
DRAIN_SECONDS: Final = 5


class _PromptConnection(H11Protocol):
    """Closed when a request's head does not arrive in time; uvicorn itself waits for a first one for ever."""

    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        """Expects a request."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """Expects the rest of a request that has begun."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._expect_nothing()
        elif self._end is None:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expects nothing more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def _expect(self) -> None:
        self._end = self.loop.call_later(REQUEST_SECONDS, self.transport.close)

    def _expect_nothing(self) -> None:
        if self._end is not None:
            self._end.cancel()
            self._end = None


class _Server(uvicorn.Server):
    """The server without its own signal handling: SIGTERM is the services' affair."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


@dataclass(frozen=True, slots=True)
class WebService:
    """An application at its address.

    Attributes:
        name: of the service, and of its table in the settings.
        place: host and port.
        files: certificate and key, where it serves TLS itself.
        ready: called with the service's name once it listens.
        proxies: whose word is taken for where a request comes from.
    """

    name: str
    app: ASGIApp
    place: tuple[str, int]
    files: tuple[Path, Path] | None
    ready: Callable[[str], None]
    proxies: Sequence[str] = ()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; what is being answered is finished.

        Raises:
            UnavailableError: its address is taken, or not of this machine (`E_CONSOLE_ADDRESS`, `E_API_ADDRESS`).
        """
        listening = self._listen()
        certificate, key = self.files or (None, None)
        config = uvicorn.Config(
            self.app,
            http=_PromptConnection,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(self.proxies),
            forwarded_allow_ips=list(self.proxies),
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
            detail = f"[{self.name}] listen: {host}:{port}: {error.strerror}; another process takes another port"
            name = self.name.upper()
            raise UnavailableError(f"E_{name}_ADDRESS", f"{detail} (NCP_BRIDGE_{name}__LISTEN)") from None
