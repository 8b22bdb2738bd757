"""What was refused and what cannot be judged yet, as the store keeps them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bridge.ports.store.records import Quarantined, QuarantineTotal, Refusal


class Held(Protocol):
    """What cannot be judged yet, to be verified again."""

    async def hold(self, refusals: Sequence[Refusal], *, quotas: Mapping[str, int]) -> Sequence[Refusal]:
        """Keeps what may verify later, within a quota in bytes for each code; answers those that no longer fitted.

        The same bytes with the same properties for the same holder are kept once.
        """
        ...

    async def keep_holding(self, refusals: Sequence[Refusal]) -> None:
        """Notes the newest verdict on what stays held, by id: a message counts towards the quota of its newest code."""
        ...

    async def release_held(
        self, holders: Collection[str | None], *, limit: int, not_tried_since: datetime, now: datetime
    ) -> Sequence[Refusal]:
        """What these holders (`None`: the router) hold, never tried or last tried before a moment, oldest first.

        It counts as tried `now`. One that was tried later than now was tried by a wrong clock, and is due.
        """
        ...

    async def held_too_long(
        self, holders: Collection[str | None], *, since_before: datetime, limit: int
    ) -> Sequence[Refusal]:
        """What these holders have held since before a moment, and tried at least once, oldest first."""
        ...

    async def held_from(self, code: str) -> Collection[str]:
        """Who sent what is held under a code, as far as the properties say; looks at a bounded number."""
        ...

    async def drop_held(self, ids: Sequence[str]) -> None:
        """Forgets held messages that found their verdict."""
        ...


class Quarantine(Protocol):
    """What was refused for good, until somebody acts. The same bytes for the same holder and code are one entry."""

    async def quarantine(self, refusals: Sequence[Refusal], *, quota_bytes: int) -> Sequence[str]:
        """Keeps refused raw bytes with code, step, time and queue; answers the ids of those that were not there yet.

        The same bytes for the same holder and code are kept once and counted. What no longer fits the quota of the
        node is kept without its bytes.
        """
        ...

    async def list(self, *, code: str | None = None, limit: int = 200) -> Sequence[Quarantined]:
        """Quarantine, newest first, without the raw bytes."""
        ...

    async def get(self, refusal_id: str) -> Quarantined | None:
        """One quarantined message, with its raw bytes if they were kept."""
        ...

    async def pick(
        self,
        *,
        ids: Sequence[str] | None = None,
        code: str | None = None,
        holders: Collection[str | None] | None = None,
    ) -> Sequence[Quarantined]:
        """All entries to which everything given applies, without the raw bytes, oldest first.

        `holders` are contact points, and `None` for the router.
        """
        ...

    async def with_bytes(self, ids: Sequence[str]) -> Sequence[Quarantined]:
        """The entries with these ids that are there, with their raw bytes if they were kept, oldest first."""
        ...

    async def refuse_again(self, refusals: Sequence[Refusal]) -> None:
        """Notes the newest verdict on entries that were replayed, by id; each counts as replayed once more.

        Where the same bytes are there under the new code already, the two become one under the replayed entry's id.
        What is no longer there is passed over.
        """
        ...

    async def take_out(self, ids: Sequence[str]) -> Sequence[Quarantined]:
        """Destroys entries with their bytes; answers, without bytes, those that were there, oldest first."""
        ...

    async def note_returned(self, refusal_id: str, *, at: datetime, receipt_id: str) -> None:
        """Notes that the sender was told; the newest time counts."""
        ...

    async def total(self) -> QuarantineTotal:
        """How much room the quarantine takes."""
        ...


class Refusals(Quarantine, Held, Protocol):
    """Quarantine (refused for good until somebody acts) and held (cannot be judged yet)."""

    async def counts(self) -> tuple[Mapping[str, int], int]:
        """Quarantined by code, and how many are held. What came again counts once."""
        ...
