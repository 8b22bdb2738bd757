"""Hand-overs of a shift: what was open, and a note, given and taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.ports.vault import BodyAtRest


@dataclass(frozen=True, slots=True)
class HandoverRecord:
    """One hand-over.

    Attributes:
        given_to: an account's login; `None`: whoever comes.
        items: (kind of item, id, who else): `needs_action`, `in_progress`, `awaited` or `draft`.
        note: as the officer wrote it, at rest.
    """

    id: str
    contact_point: str
    given_by: str
    given_to: str | None
    given_at: datetime
    items: tuple[tuple[str, str, str], ...]
    note: BodyAtRest
    taken_by: str | None = None
    taken_at: datetime | None = None


class Handovers(Protocol):
    """What was handed over."""

    async def add(self, handover: HandoverRecord) -> None:
        """Stores one."""
        ...

    async def get(self, handover_id: str) -> HandoverRecord | None:
        """One by its id."""
        ...

    async def list(self, contact_point: str, *, limit: int = 20) -> Sequence[HandoverRecord]:
        """The newest first."""
        ...

    async def waiting(self, contact_point: str) -> Sequence[HandoverRecord]:
        """Those among the newest twenty that nobody has taken, the newest first."""
        ...

    async def take(self, handover_id: str, *, by: str, at: datetime) -> bool:
        """Takes one; answers whether nobody had."""
        ...
