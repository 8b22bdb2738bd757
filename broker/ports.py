"""Loopback ports for servers of our own."""

from __future__ import annotations

import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"
# Below the range from which outgoing connections take their ports, so that none of them takes ours meanwhile.
RANGE: Final = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """So many loopback ports that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = random.choice(RANGE)  # noqa: S311 - no secret
        if port not in found and is_free(port):
            found.append(port)
    return found


def is_free(port: int) -> bool:
    """Whether nobody listens on the loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections of the last node do not count
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
    return True
