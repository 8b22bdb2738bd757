"""Who has not got what we sent, named: the sender is told, and not left to believe that silence is consent.

A message counts until a week after its expiry, however long it was worth delivering.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.app.checks.check_node import Check
from bridge.core.times import format_time
from bridge.ports.store import Store
from bridge.ports.store.records import Undelivered, UndeliveredCount

RECEIPT_DUE: Final = timedelta(hours=1)
REMEMBERED: Final = timedelta(days=7)
MOST_RECIPIENTS: Final = 20
MOST_MESSAGES: Final = 10

_WORDS: Final = {
    "pending": "not sent yet",
    "sent": "not confirmed",
    "expired": "given up before it was sent",
    "rejected": "refused",
}


async def check_undelivered(store: Store, *, now: datetime) -> Check:
    """One finding: what expired, was refused, or has no receipt an hour after it was sent, by recipient.

    It fails when there is any. Both lists are bounded; immediate alerts come first.
    """
    async with store.reading() as unit:
        counts, first = await unit.ledger.undelivered(
            expires_after=now - REMEMBERED, sent_before=now - RECEIPT_DUE, limit=MOST_MESSAGES
        )
    if not counts:
        return Check("undelivered", ok=True, detail="everything sent over an hour ago is confirmed")
    total = sum(one.count for one in counts)
    listed = "; ".join(_message(one) for one in first) + ("; ..." if total > len(first) else "")
    return Check("undelivered", ok=False, detail=f"{_by_recipient(counts)}. By urgency: {listed}")


def _by_recipient(counts: Sequence[UndeliveredCount]) -> str:
    by_recipient: dict[str, list[str]] = defaultdict(list)
    for one in counts:
        by_recipient[one.recipient].append(f"{one.count} {_WORDS[one.state]}")
    named = [f"{recipient}: {', '.join(parts)}" for recipient, parts in by_recipient.items()]
    more = len(named) - MOST_RECIPIENTS
    return "; ".join(named[:MOST_RECIPIENTS]) + (f"; and {more} more recipients" if more > 0 else "")


def _message(one: Undelivered) -> str:
    code = f" ({one.code})" if one.code is not None else ""
    sent = format_time(one.sent)
    return f"{one.urgency} {one.kind} {one.id} of {sent} to {one.recipient}: {_WORDS[one.state]}{code}"
