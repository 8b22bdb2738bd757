"""One live connection of the client library: its loss, and whether the broker blocks publishers on it.

The library tells of a loss by a callback, and of a block only whoever waits for its end; so a block is looked for here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Self

import aio_pika
from aiormq.abc import AbstractConnection

from bridge.adapters.amqp.faults import broker_calls
from bridge.adapters.amqp.login import Login
from bridge.core.errors import UnavailableError

CLOSE_SECONDS: Final = 1.0  # a broker that does not answer must not keep anybody from stopping
LOOK_SECONDS: Final = 1.0  # for whoever asks how the node is: who publishes looks each time


class _Connection(aio_pika.Connection):
    """The library's, closed by nobody but its link: collecting a failed one must start no task."""

    def __del__(self) -> None:
        return


@dataclass
class Link:
    """A connection to `url` and the future that its loss resolves."""

    url: str
    login_version: Hashable
    outer: aio_pika.abc.AbstractConnection
    lost: asyncio.Future[BaseException | None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    @classmethod
    async def open(cls, url: str, *, login: Login, name: str, heartbeat_seconds: int, deadline_seconds: float) -> Self:
        """Connects to one of the login's URLs and logs in.

        Raises:
            UnavailableError: the broker cannot be reached, is silent, or refuses the account.
        """
        async with broker_calls(url, deadline_seconds=deadline_seconds):
            outer = await aio_pika.connect(
                url,
                ssl_context=login.ssl_context,
                heartbeat=heartbeat_seconds,
                name=name,
                connection_class=_Connection,
            )
        link = cls(url, login.version, outer)
        outer.close_callbacks.add(link._on_close)
        return link

    @property
    def connection(self) -> AbstractConnection:
        """The library's inner connection.

        Raises:
            ConnectionError: it is closed.
        """
        if self.outer.transport is None:
            raise ConnectionError
        return self.outer.transport.connection

    @property
    def is_gone(self) -> bool:
        """Whether the library has closed the connection."""
        return self.outer.transport is None or self.outer.transport.connection.is_closed

    async def watch(self, on_change: Callable[[bool], None]) -> None:
        """Calls back with `True` when the broker has begun to block publishers, with `False` when it has ended."""
        connection = self.connection
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                async with asyncio.timeout(0):
                    await connection.ready()
            except TimeoutError:
                on_change(True)  # noqa: FBT003 - the callback's one argument
                await connection.ready()
                on_change(False)  # noqa: FBT003 - as above

    async def close(self) -> None:
        """Says goodbye, in vain where the broker is silent."""
        with contextlib.suppress(UnavailableError):
            async with broker_calls(self.url, deadline_seconds=CLOSE_SECONDS):
                await self.outer.close()

    def _on_close(self, _: object, reason: BaseException | None = None) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)
