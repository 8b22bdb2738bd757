"""Notes what became of messages of ours, for the webhooks of their senders; where there is none, one look costs all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from bridge.adapters.store.tables import message, recipient
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.adapters.store.webhook_tables import recipient_news, webhook

UNTOLD: Final = "pending"  # nothing became of it yet
_COLUMNS: Final = ("message_id", "recipient", "state", "code")


async def note_recipients(transaction: Transaction, changed: Sequence[tuple[str, str]]) -> None:
    """Notes the states of these recipients (message id, recipient) as they are now."""
    await _note(transaction, "recipient", changed)


async def note_publishes(transaction: Transaction, changed: Sequence[tuple[str, str]]) -> None:
    """Notes the states of the recipients of these publishes (message id, country prefix) as they are now."""
    await _note(transaction, "prefix", changed)


async def _note(transaction: Transaction, column: str, changed: Sequence[tuple[str, str]]) -> None:
    in_force = webhook.c.disabled_at.is_(None)
    if not changed or not await transaction.rows(select(webhook.c.id).where(in_force).limit(1)):
        return
    asked, values = set(changed), []
    for part in in_parts(sorted({message_id for message_id, _ in asked})):
        moved = (
            select(*(recipient.c[name] for name in _COLUMNS), recipient.c.prefix)
            .join(message, message.c.id == recipient.c.message_id)
            .where(
                recipient.c.message_id.in_(part),
                recipient.c.state != UNTOLD,
                select(webhook.c.id).where(in_force, webhook.c.contact_point == message.c.sender).exists(),
            )
            .order_by(recipient.c.message_id, recipient.c.recipient)
        )
        rows = await transaction.rows(moved)
        values += [{name: row[name] for name in _COLUMNS} for row in rows if (row["message_id"], row[column]) in asked]
    await transaction.change_each(transaction.insert(recipient_news).on_conflict_do_nothing(), values)
