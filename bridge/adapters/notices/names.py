"""Looking up names in threads of one's own: those of a loop serve the database and the broker, too.

A look-up cannot be stopped, and whoever names a host decides how long it takes. So there is one at a time for a host,
however often it is asked for: whoever asks meanwhile waits for the same.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

Address = IPv4Address | IPv6Address

MOST_AT_ONCE: Final = 64  # threads, made when they are needed


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="webhook-names")


@dataclass(frozen=True, slots=True)
class Names:
    """Looks up names."""

    _threads: ThreadPoolExecutor = field(default_factory=_threads)
    _running: dict[str, Future[Sequence[Address]]] = field(default_factory=dict)

    async def addresses(self, host: str) -> Sequence[Address]:
        """Where a name leads now.

        Raises:
            OSError: nowhere, or nobody says.
            ValueError: it is no name.
        """
        running = self._running.get(host)
        if running is None:
            running = self._running[host] = self._threads.submit(_look_up, host)
            running.add_done_callback(lambda _: self._running.pop(host, None))
        return await asyncio.shield(asyncio.wrap_future(running))


def _look_up(host: str) -> Sequence[Address]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(place[0]).partition("%")[0]) for *_, place in found))
