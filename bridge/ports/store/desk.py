"""What a duty officer works with: the inbox in three groups, threads, and who has what in hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridge.ports.store.records import ReceiptRow
from bridge.ports.vault import BodyAtRest

ItemId = tuple[str, str]  # (sender, message id): what identifies an item at one contact point


class Group(StrEnum):
    """Where an item stands in the inbox.

    An item in `NEEDS_ACTION` takes an acknowledgement and has none; one `IN_PROGRESS` is acknowledged and not closed;
    everything else is `FOR_INFORMATION`. What a later version took the place of is in none.
    """

    NEEDS_ACTION = "needs_action"
    IN_PROGRESS = "in_progress"
    FOR_INFORMATION = "for_information"


@dataclass(frozen=True, slots=True)
class DeskItem:
    """An item as the desk lists it, without its wire bytes; `position` is its place in the order of arrival."""

    position: int
    contact_point: str
    id: str
    sender: str
    kind: str
    status: str
    urgency: str
    thread: str
    sent: datetime
    received_at: datetime
    acknowledge_by: datetime | None
    state: str
    supersedes: str | None
    of: str | None
    taken_by: str | None
    taken_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    body: BodyAtRest | None

    @property
    def group(self) -> Group:
        """Where it stands, unless a later version took its place."""
        if self.acknowledge_by is None or self.closed_at is not None or self.state == "expired":
            return Group.FOR_INFORMATION
        return Group.IN_PROGRESS if self.state == "acknowledged" else Group.NEEDS_ACTION


class DeskBook(Protocol):
    """The items of one contact point as officers work with them."""

    async def list(
        self, contact_point: str, group: Group, *, before: int | None = None, limit: int
    ) -> Sequence[DeskItem]:
        """One group, with bodies: needs action by its deadline, the others newest first.

        `before`: the position behind which the list goes on, for groups that go by arrival.
        """
        ...

    async def count(self, contact_point: str, group: Group, *, most: int) -> int:
        """How many items a group has, counted up to `most`; not for `FOR_INFORMATION`, which only grows."""
        ...

    async def get(self, contact_point: str, item: ItemId) -> DeskItem | None:
        """One item, whether something took its place or not."""
        ...

    async def lock(self, contact_point: str, item: ItemId) -> DeskItem | None:
        """The same without its body, kept from other transactions until this one ends."""
        ...

    async def thread(self, contact_point: str, thread: str, *, limit: int) -> Sequence[DeskItem]:
        """The newest received messages of a thread, with bodies, in the order of arrival."""
        ...

    async def replaced_by(self, contact_point: str, item: ItemId) -> ItemId | None:
        """The last message that took this one's place."""
        ...

    async def take(self, contact_point: str, item: ItemId, officer: str | None, at: datetime) -> None:
        """Notes who has it in hand; `None`: nobody."""
        ...

    async def close(self, contact_point: str, item: ItemId, officer: str | None, at: datetime) -> None:
        """Notes who closed it; `None`: it is open again."""
        ...

    async def own_thread(self, contact_point: str, thread: str) -> Sequence[str]:
        """The ids of what this contact point sent in a thread, oldest first."""
        ...

    async def receipts(self, message_id: str) -> Sequence[ReceiptRow]:
        """The verified receipts for a message of ours, in the order in which they came."""
        ...
