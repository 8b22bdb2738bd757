"""What a contact point has sent, as its officers look at it: pages of alerts, versions of one, and what is usual."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from bridge.ports.store.records import OutgoingMessage


class SentAlerts(Protocol):
    """Looks at the ledger for the officers of one contact point. Nothing here costs more as the ledger grows."""

    async def page(self, sender: str, *, before: str | None, limit: int) -> Sequence[OutgoingMessage]:
        """Alerts, updates and cancellations, the newest first, with bodies and without wire bytes.

        `before` is the id of the last one of the page before.
        """
        ...

    async def versions(self, thread: str, *, sender: str) -> Sequence[OutgoingMessage]:
        """Every alert, update and cancellation of a thread, the oldest first, with bodies, without wire bytes."""
        ...

    async def written_to(self, sender: str, recipients: Collection[str]) -> frozenset[str]:
        """Those of the recipients to whom the sender ever sent anything from this database."""
        ...

    async def usual_number(self, sender: str, *, last: int) -> tuple[int, int]:
        """How many of its last messages are alerts (at most `last` are looked at), and the most recipients of one."""
        ...
