"""The chain over the audit log: rows by their places, and the seals over them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bridge.ports.store.records import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditSeal:
    """A seal over every row behind the seal before, up to `position`; `count` is how many rows that are."""

    position: int
    count: int
    sealed_at: datetime
    mac: bytes = field(repr=False)


class AuditSeals(Protocol):
    """What the chain is made of."""

    async def rows_behind(self, position: int, *, up_to: int, limit: int) -> Sequence[tuple[int, AuditEntry]]:
        """Rows behind a place, in order, each with its own."""
        ...

    async def newest_place(self) -> int:
        """The place of the newest row; 0 where there is none."""
        ...

    async def last(self) -> AuditSeal | None:
        """The newest seal."""
        ...

    async def behind(self, position: int, *, limit: int) -> Sequence[AuditSeal]:
        """Seals behind a place, in order."""
        ...

    async def add(self, seal: AuditSeal) -> bool:
        """Stores a seal; answers whether nobody else had sealed up to there."""
        ...
