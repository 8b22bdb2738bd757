"""What was signed by us and may have to be signed anew, because its key counts no more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bridge.ports.store.records import OutboxRow


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A message of ours that some recipient has not got; `place` is its place in the order of sending."""

    place: int
    message_id: str
    sent: datetime
    wire_bytes: bytes


class Signatures(Protocol):
    """The signatures under what we sent."""

    async def unfinished(
        self, sender: str, *, after: int, codes: Collection[str], now: datetime, limit: int
    ) -> Sequence[Unfinished]:
        """A sender's messages behind a place that have not expired and that somebody has not got, in order.

        Whoever has rejected one has not got it where the code of that is one of `codes`.
        """
        ...

    async def replace(self, wire_bytes: Mapping[str, bytes]) -> None:
        """The ledger has messages, by their ids, with these bytes from now on: the same payload, signed anew."""
        ...

    async def waiting_controls(self, sender: str, *, after: int, limit: int) -> Sequence[tuple[int, OutboxRow]]:
        """A sender's control messages that no relay has published yet, with their places, behind one."""
        ...

    async def withdraw(self, message_ids: Sequence[str], now: datetime) -> None:
        """No relay publishes rows of these messages that still wait; others take their place."""
        ...
