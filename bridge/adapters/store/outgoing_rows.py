"""The messages that we sent, as rows: which columns there are, and how they are read with their recipients."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping, Select, select

from bridge.adapters.store.kept_bytes import read_body
from bridge.adapters.store.tables import message, recipient
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.records import OutgoingMessage, OutgoingRecipient

OUTGOING_COPIED: Final = (
    "id",
    "sender",
    "kind",
    "status",
    "urgency",
    "lane",
    "thread",
    "sent",
    "expires",
    "payload_sha256",
    "sealed_sha256",
    "supersedes",
)
RECIPIENT_STATE: Final = (
    "country",
    "rule",
    "reason",
    "state",
    "sent_at",
    "delivered_at",
    "acknowledged_at",
    "level",
    "code",
    "epoch",
    "number",
    "reply_within_s",
)
OUTGOING_COLUMNS: Final = tuple(message.c[name] for name in OUTGOING_COPIED)


async def read_outgoing(transaction: Transaction, query: Select[*tuple[object, ...]]) -> Sequence[OutgoingMessage]:
    """The messages of a query over `message`, with their recipients in the sender's order."""
    rows = await transaction.rows(query)
    recipients: dict[str, list[OutgoingRecipient]] = defaultdict(list)
    for part in in_parts([row["id"] for row in rows]):
        of_these = select(recipient).where(recipient.c.message_id.in_(part)).order_by(recipient.c.rank)
        for to in await transaction.rows(of_these):
            recipients[to["message_id"]].append(_recipient(to))
    return [_message(row, recipients[row["id"]]) for row in rows]


def _recipient(row: RowMapping) -> OutgoingRecipient:
    return OutgoingRecipient(
        id=row["recipient"], roles=tuple(row["roles"]), **{name: row[name] for name in RECIPIENT_STATE}
    )


def _message(row: RowMapping, recipients: Sequence[OutgoingRecipient]) -> OutgoingMessage:
    return OutgoingMessage(
        **{name: row[name] for name in OUTGOING_COPIED},
        wire_bytes=row.get("wire_bytes", b""),
        body=read_body(row) if "wrapped_key" in row else None,
        recipients=tuple(recipients),
    )
