"""What stands between a running node and a fault of its own machine: a watched clock, a reserve on the disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bridge.adapters.store import SqlStore
from bridge.adapters.system import SystemClock
from bridge.adapters.system.clock_watch import ClockWatch
from bridge.adapters.system.disk import MIB, DiskReserve
from bridge.ports.trust import TrustSource
from bridge.services.gate import ReceivingGate
from bridge.settings import NodeSettings

SQLITE = "sqlite:///"
RECEIVING_GOES_ON = "the database's server has its own disk and receiving goes on; the membership list needs room here"


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards of one process.

    Attributes:
        wall_clock: tells the machine's time, whatever it is.
        clock: refuses to while it cannot be trusted; what judges messages takes the time from it.
        disk: of the database's file; of the node's folder where the database is a server's.
        gate: in front of everything that receives.
    """

    wall_clock: SystemClock
    clock: ClockWatch
    disk: DiskReserve
    gate: ReceivingGate
    is_sqlite: bool


def guards_of(settings: NodeSettings, store: SqlStore, trust: TrustSource) -> Guards:
    """The guards that the settings ask for; the clock is watched from now on."""
    wall_clock = SystemClock()
    clock = ClockWatch(wall_clock, confirmed_at=lambda: trust.current().signed_at)
    disk, is_sqlite = disk_of(settings), settings.database_url.startswith(SQLITE)
    room: Callable[[], object] = disk.check if is_sqlite else _no_room_needed
    gate = ReceivingGate(room=room, clock=clock.now, database=store.check)
    return Guards(wall_clock, clock, disk, gate, is_sqlite)


def disk_of(settings: NodeSettings) -> DiskReserve:
    """The disk that messages go to, or the node's own where they go to a server's."""
    url, reserve_mib = settings.database_url, settings.disk_reserve_mib
    reserve_bytes = None if reserve_mib is None else reserve_mib * MIB
    if url.startswith(SQLITE):
        return DiskReserve(Path(url.removeprefix(SQLITE)).parent, reserve_bytes=reserve_bytes)
    return DiskReserve(settings.folder, reserve_bytes=reserve_bytes, consequence=RECEIVING_GOES_ON)


def _no_room_needed() -> None:
    """The server of a PostgreSQL database has a disk of its own, and says so when that is full."""
