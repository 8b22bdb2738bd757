"""What arrived while the membership list was older than seven days: marked in the audit log with its last check.

Wire-format: to 45 days received and marked "membership last checked ...". Whoever reads it knows that its sender may
have left the network since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from bridge.core.directory import Directory
from bridge.core.freshness import Freshness, freshness_of
from bridge.core.times import format_time
from bridge.ports.store import UnitOfWork
from bridge.ports.store.records import AuditEntry, InboxItem

UNCHECKED_ENTRY: Final = "message.received_unchecked"
_EVERYTHING: Final = 1_000_000

ItemKey = tuple[str | None, str, str | None]


def unchecked_entries(received: Sequence[AuditEntry], directory: Directory, *, now: datetime) -> list[AuditEntry]:
    """The marks of messages just received, given the entries that say so; none while the list is fresh."""
    if freshness_of(directory, now) is not Freshness.MARKED:
        return []
    checked_at = {"membership_checked_at": format_time(directory.signed_at)}
    return [
        AuditEntry(now, one.actor, UNCHECKED_ENTRY, one.contact_point, one.subject, {**one.detail, **checked_at})
        for one in received
    ]


async def checked_at(unit: UnitOfWork, *, message_id: str | None = None) -> Mapping[ItemKey, str]:
    """(contact point, sender, id) of marked messages -> when the membership was last checked before they came."""
    entries = await unit.audit.list(subject=message_id, action=UNCHECKED_ENTRY, limit=_EVERYTHING)
    return {
        (entry.contact_point, entry.detail.get("from", ""), entry.subject): entry.detail["membership_checked_at"]
        for entry in entries
    }


def key_of(item: InboxItem) -> ItemKey:
    """Where `checked_at` has it."""
    return item.contact_point, item.sender, item.id
