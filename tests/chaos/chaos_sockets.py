"""Cuts a process's connections from outside: its sockets are shut down behind its back, both ends see them end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

PIDFD_GETFD: Final = 438  # the same number on every architecture (asm-generic/unistd.h)
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


def cut_connections(pid: int, *, ports: Collection[int]) -> int:
    """Shuts down the TCP connections of a process to these ports on loopback; answers how many.

    Raises:
        PermissionError: the kernel does not let us.
    """
    inodes, cut = _inodes_towards(ports), 0
    with contextlib.suppress(ProcessLookupError, FileNotFoundError):
        process = os.pidfd_open(pid)
        try:
            for number in _descriptors(pid, inodes):
                with contextlib.suppress(OSError), _borrowed(process, number) as borrowed:
                    borrowed.shutdown(socket.SHUT_RDWR)
                    cut += 1
        finally:
            os.close(process)
    return cut


@contextlib.contextmanager
def _borrowed(process: int, number: int) -> Iterator[socket.socket]:
    got = _LIBC.syscall(PIDFD_GETFD, process, number, 0)
    if got < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    with socket.socket(fileno=got) as borrowed:
        yield borrowed


def _inodes_towards(ports: Collection[int]) -> frozenset[str]:
    wanted = tuple(f":{port:04X}" for port in ports)
    lines = Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]
    fields = (line.split() for line in lines)  # sl local remote st queues tr retrnsmt uid timeout inode (proc(5))
    return frozenset(parts[9] for parts in fields if parts[2].endswith(wanted))


def _descriptors(pid: int, inodes: frozenset[str]) -> Iterator[int]:
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if entry.readlink().name.removeprefix("socket:[").rstrip("]") in inodes:
                yield int(entry.name)
