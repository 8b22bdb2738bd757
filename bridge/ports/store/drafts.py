"""What officers write before it is sent: drafts, from the first word to their release."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from bridge.ports.vault import BodyAtRest

WRITING: Final = "writing"
SUBMITTED: Final = "submitted"
RETURNED: Final = "returned"
RELEASED: Final = "released"
DISCARDED: Final = "discarded"


@dataclass(frozen=True, slots=True)
class DraftRecord:
    """A draft of one contact point.

    Attributes:
        author: the login of who writes it, or wrote it last.
        state: `writing`, `submitted`, `returned`, `released` or `discarded`.
        revision: grows with every change; whoever changes a draft says which one they saw.
        sealed: what was written, by the vault; `None` once it is discarded.
        supersedes: the id of our message that it takes the place of.
        decided_by: the login of who released, returned or discarded it.
        is_emergency: released by its author alone; `reviewed_at` says when an approver looked at it afterwards.
        message_id: of what was sent.
    """

    id: str
    contact_point: str
    author: str
    kind: str
    state: str
    revision: int
    created_at: datetime
    changed_at: datetime
    sealed: BodyAtRest | None
    supersedes: str | None = None
    submitted_at: datetime | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    is_emergency: bool = False
    message_id: str | None = None
    reviewed_at: datetime | None = None
    reviewed_by: str | None = None


class Drafts(Protocol):
    """The drafts of a node's contact points."""

    async def add(self, draft: DraftRecord) -> None:
        """Stores a new draft."""
        ...

    async def get(self, draft_id: str) -> DraftRecord | None:
        """A draft by its id."""
        ...

    async def list(self, contact_point: str, states: Collection[str], *, limit: int) -> Sequence[DraftRecord]:
        """Drafts in these states, the last changed first."""
        ...

    async def to_review(self, contact_point: str, *, limit: int) -> Sequence[DraftRecord]:
        """What was released in an emergency and nobody has reviewed, the oldest first."""
        ...

    async def replace(self, draft: DraftRecord, *, revision: int) -> bool:
        """Stores a change of the draft that had `revision`; answers whether it still had it.

        A release is stored only where somebody else than the author decided, or in an emergency; a review only where
        somebody else than the author reviews.
        """
        ...

    async def begin_sending(self, contact_point: str) -> None:
        """Waits for its turn to replace an alert of a contact point, and keeps it to the end of the transaction."""
        ...
