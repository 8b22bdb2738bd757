"""The sockets in a node's folder: `health-<role>.sock`, their owner's alone.

A socket's path has room for 107 bytes (unix(7)) and a node's folder may be anywhere, so that the folder is opened and
the socket is named below `/proc/self/fd`.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

OWNER_ONLY: Final = 0o600
BACKLOG: Final = 16
CONNECT_SECONDS: Final = 1.0
ALL: Final = "all"
_PREFIX, _SUFFIX = "health-", ".sock"


def found_roles(folder: Path) -> list[str]:
    """The roles whose sockets are in the folder, of running processes and of dead ones."""
    try:
        files = sorted(path.name for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"))
    except OSError:
        return []
    return [name.removeprefix(_PREFIX).removesuffix(_SUFFIX) for name in files]


def connect(folder: Path, role: str, *, seconds: float) -> socket.socket:
    """A connection to the process of a role.

    Raises:
        OSError: nobody listens there (`ConnectionRefusedError` for the socket of a dead process).
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    made.settimeout(seconds)
    try:
        with _address(folder, _file(role)) as address:
            made.connect(address)
    except BaseException:
        made.close()
        raise
    return made


def listen(folder: Path, role: str) -> tuple[socket.socket, str]:
    """A listening socket for a role and the role it got: `<role>-<pid>` where another process of the role runs.

    What dead processes left behind for the same work is removed.

    Raises:
        OSError: the folder takes no socket.
    """
    for other in found_roles(folder):
        if (ALL in {role, other} or _same(other, role)) and _is_dead(folder, other):
            remove(folder, other)
    try:
        return _bound(folder, role), role
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
    own = f"{role}-{os.getpid()}"
    remove(folder, own)  # of a dead process that had this number
    return _bound(folder, own), own


def remove(folder: Path, role: str) -> None:
    """Removes the socket file of a role, if it is there and can be."""
    with contextlib.suppress(OSError):
        (folder / _file(role)).unlink(missing_ok=True)


def _bound(folder: Path, role: str) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        os.fchmod(made.fileno(), OWNER_ONLY)  # the file gets this mode at once, not a moment later
        with _address(folder, _file(role)) as address:
            made.bind(address)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def _is_dead(folder: Path, role: str) -> bool:
    try:
        connect(folder, role, seconds=CONNECT_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _same(other: str, role: str) -> bool:
    return other == role or (other.startswith(f"{role}-") and other.removeprefix(f"{role}-").isdigit())


def _file(role: str) -> str:
    return f"{_PREFIX}{role}{_SUFFIX}"


@contextmanager
def _address(folder: Path, name: str) -> Iterator[str]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{name}"
    finally:
        os.close(handle)
