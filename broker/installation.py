"""Where the programs of RabbitMQ and Erlang are: installed on the machine, or unpacked into the cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from bridge.core.errors import UnavailableError
from broker.packages import RABBITMQ, fetch

_SERVERS = "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"
_RUNTIMES = "usr/lib/erlang/erts-*/bin"


@dataclass(frozen=True, slots=True)
class Installation:
    """One installation.

    Attributes:
        root: the folder that its `usr` is in.
        server: the server's script, below `root`.
        runtime: Erlang's programs, below `root`.
        library_path: shared libraries that the machine lacks, for `LD_LIBRARY_PATH`.
    """

    root: Path
    server: Path
    runtime: Path
    library_path: str = ""


def find_installation() -> Installation | None:
    """What is on this machine already: installed first, then unpacked."""
    return _below(Path("/")) or _below(RABBITMQ.folder, RABBITMQ.library_path)


def ensure_installation() -> Installation:
    """What is on this machine, fetched if need be.

    Raises:
        UnavailableError: it is neither here nor to be had.
    """
    found = find_installation()
    if found is None:
        fetch(RABBITMQ)
        found = find_installation()
    if found is None:
        raise UnavailableError("E_PACKAGES", f"the packages in {RABBITMQ.folder} hold no RabbitMQ; delete that folder")
    return found


def _below(root: Path, library_path: str = "") -> Installation | None:
    servers, runtimes = sorted(root.glob(_SERVERS)), sorted(root.glob(_RUNTIMES))
    if not servers or not runtimes or not os.access(servers[-1], os.X_OK):
        return None
    return Installation(root, servers[-1].relative_to(root), runtimes[-1].relative_to(root), library_path)
