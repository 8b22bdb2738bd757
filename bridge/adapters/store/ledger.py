"""The sender's ledger: what we sent, and what became of it at each recipient.

A recipient moves `pending`, `sent`, then `rejected` or `delivered`; `delivered` replaces `rejected`, never the reverse.
What no broker confirmed in time, or while the list let it go there, is `expired`, until a receipt says that it arrived
all the same. Its code then says why, and whether a broker may have taken it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Text, and_, bindparam, case, func, insert, literal, null, or_, select, update

from bridge.adapters.store.column_types import UtcMicroseconds
from bridge.adapters.store.kept_bytes import BODY_COLUMNS, body_of, erase_bodies, keep_bodies, keep_wire
from bridge.adapters.store.numbering import take_numbers
from bridge.adapters.store.outgoing_rows import OUTGOING_COLUMNS, OUTGOING_COPIED, RECIPIENT_STATE, read_outgoing
from bridge.adapters.store.recipient_news import note_publishes, note_recipients
from bridge.adapters.store.tables import body, message, receipt, recipient, wire
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.adapters.store.undelivered import list_undelivered
from bridge.core.ids import prefix_of
from bridge.ports.store.records import (
    PUBLISH_UNKNOWN,
    OutgoingMessage,
    ReceiptRow,
    Undelivered,
    UndeliveredCount,
)

# Several are changed in the order of their keys, so that on PostgreSQL relays and receivers never wait in a ring.
_SENT: Final = (
    update(recipient)
    .where(recipient.c.message_id == bindparam("at_message"))
    .where(recipient.c.prefix == bindparam("at_prefix"))
    .values(
        state=case((recipient.c.state == "pending", "sent"), else_=recipient.c.state),
        code=case((recipient.c.state == "pending", null()), else_=recipient.c.code),
        sent_at=func.coalesce(recipient.c.sent_at, bindparam("at", type_=recipient.c.sent_at.type)),
    )
)
_PENDING: Final = (
    update(recipient)
    .where(recipient.c.message_id == bindparam("at_message"))
    .where(recipient.c.prefix == bindparam("at_prefix"))
    .where(recipient.c.state == "pending")
)
_UNCERTAIN: Final = _PENDING.values(code=PUBLISH_UNKNOWN)
_EXPIRED: Final = _PENDING.values(state="expired", code=func.coalesce(recipient.c.code, "E_EXPIRED"))
_STOPPED: Final = (
    update(recipient)
    .where(recipient.c.message_id == bindparam("at_message"))
    .where(recipient.c.recipient == bindparam("at_recipient"))
    .where(recipient.c.state == "pending")
    .values(state="expired", code=func.coalesce(recipient.c.code, bindparam("with_code", type_=Text)))
)
_ANSWERED: Final = (
    update(recipient)
    .where(recipient.c.message_id == bindparam("at_message"))
    .where(recipient.c.recipient == bindparam("at_recipient"))
    .where(
        or_(
            recipient.c.state == "pending",
            recipient.c.state == "sent",
            recipient.c.state == "expired",
            and_(recipient.c.state == "rejected", bindparam("to_state", type_=Text) == "delivered"),
        )
    )
    .values(
        state=bindparam("to_state", type_=Text),
        code=bindparam("with_code"),
        delivered_at=bindparam("at", type_=recipient.c.delivered_at.type),
    )
)


class SqlLedger:
    """Implements `bridge.ports.store.Ledger`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def next_numbers(self, sender: str, recipients: Sequence[str], *, lane: str) -> tuple[int, Mapping[str, int]]:
        """Takes the next number towards each recipient; answers (epoch, recipient -> number)."""
        return await take_numbers(self._transaction, sender, recipients, lane=lane)

    async def add(self, outgoing: OutgoingMessage) -> None:
        """Stores a message with its recipients."""
        (digest,) = await keep_wire(self._transaction, [outgoing])
        if outgoing.body is not None:
            await keep_bodies(self._transaction, [(outgoing.sender, outgoing.id, outgoing.sender, outgoing.body)])
        values = {name: getattr(outgoing, name) for name in OUTGOING_COPIED} | {"wire_sha256": digest}
        # A sender's positions become visible in order, or whoever walks over what it sent could step over one.
        await self._transaction.take_turn(f"message position {outgoing.sender}")
        await self._transaction.change_each(insert(message), [values])
        rows = [
            {name: getattr(to, name) for name in RECIPIENT_STATE}
            | {
                "message_id": outgoing.id,
                "recipient": to.id,
                "rank": rank,
                "prefix": prefix_of(to.id),
                "roles": list(to.roles),
            }
            for rank, to in enumerate(outgoing.recipients)
        ]
        await self._transaction.change_each(insert(recipient), rows)

    async def get(self, message_id: str) -> OutgoingMessage | None:
        """A message we sent, with its recipients and its body, unless that was erased."""
        query = (
            select(*OUTGOING_COLUMNS, wire.c.wire_bytes, *BODY_COLUMNS)
            .join(wire, wire.c.sha256 == message.c.wire_sha256)
            .outerjoin(body, body_of(message.c.sender, message.c.id, message.c.sender))
            .where(message.c.id == message_id)
        )
        found = await read_outgoing(self._transaction, query)
        return found[0] if found else None

    async def list(self, *, sender: str | None = None, limit: int = 200) -> Sequence[OutgoingMessage]:
        """The newest first, without bodies and wire bytes: a list of them would be as large as all of them."""
        query = select(*OUTGOING_COLUMNS).order_by(message.c.position.desc()).limit(limit)
        return await read_outgoing(
            self._transaction, query if sender is None else query.where(message.c.sender == sender)
        )

    async def recipients_of_thread(self, thread: str, *, sender: str) -> Sequence[str]:
        """Everybody to whom this sender sent any message of the thread, sorted."""
        query = (
            select(recipient.c.recipient)
            .distinct()
            .join(message, message.c.id == recipient.c.message_id)
            .where(message.c.thread == thread, message.c.sender == sender)
            .order_by(recipient.c.recipient)
        )
        return [row["recipient"] for row in await self._transaction.rows(query)]

    async def mark_sent(self, publishes: Sequence[tuple[str, str]], at: datetime) -> None:
        """Notes when each publish was confirmed, and moves recipients that were still `pending`."""
        in_order = sorted(set(publishes))
        values = [{"at_message": message_id, "at_prefix": prefix, "at": at} for message_id, prefix in in_order]
        await self._transaction.change_each(_SENT, values)
        await note_publishes(self._transaction, publishes)

    async def mark_uncertain(self, publishes: Sequence[tuple[str, str]]) -> None:
        """Notes at recipients that are still `pending` that a broker may have taken these publishes."""
        await self._transaction.change_each(_UNCERTAIN, _publishes(publishes))

    async def mark_expired(self, publishes: Sequence[tuple[str, str]]) -> None:
        """Moves recipients that were still `pending` when these publishes were given up."""
        await self._transaction.change_each(_EXPIRED, _publishes(publishes))
        await note_publishes(self._transaction, publishes)

    async def mark_stopped(self, stopped: Sequence[tuple[str, str, str]]) -> None:
        """Gives up, with a code, where a recipient is still `pending`; programs before this one know that state."""
        names = ("at_message", "at_recipient", "with_code")
        await self._transaction.change_each(_STOPPED, [dict(zip(names, one, strict=True)) for one in sorted(stopped)])
        await note_recipients(self._transaction, [(message_id, to) for message_id, to, _ in stopped])

    async def digests_sent(
        self, keys: Sequence[tuple[str, str]], *, sender: str
    ) -> Mapping[tuple[str, str], tuple[str, str]]:
        """(message id, recipient) -> (payload_sha256, sealed_sha256), for what `sender` really sent there."""
        asked = set(keys)
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for part in in_parts([message_id for message_id, _ in keys]):
            query = (
                select(recipient.c.message_id, recipient.c.recipient, message.c.payload_sha256, message.c.sealed_sha256)
                .join(message, message.c.id == recipient.c.message_id)
                .where(recipient.c.message_id.in_(part), message.c.sender == sender)
            )
            for row in await self._transaction.rows(query):
                key = (row["message_id"], row["recipient"])
                if key in asked:
                    found[key] = (row["payload_sha256"], row["sealed_sha256"])
        return found

    async def add_receipts(self, receipts: Sequence[ReceiptRow]) -> None:
        """Stores verified receipts and moves the recipients' states; a repeated receipt changes nothing."""
        fresh = await self._not_repeated(receipts)
        digests = await keep_wire(self._transaction, fresh)
        values = [
            {
                "message_id": row.message_id,
                "recipient": row.recipient,
                "state": row.state,
                "receipt_id": row.receipt_id,
                "code": row.code,
                "payload_sha256": row.payload_sha256,
                "received_at": row.received_at,
                "wire_sha256": digest,
            }
            for row, digest in zip(fresh, digests, strict=True)
        ]
        await self._transaction.change_each(self._transaction.insert(receipt).on_conflict_do_nothing(), values)
        in_order = sorted(receipts, key=lambda row: (row.message_id, row.recipient))
        await self._transaction.change_each(_ANSWERED, [_answer(row) for row in in_order])
        await note_recipients(self._transaction, [(row.message_id, row.recipient) for row in in_order])

    async def _not_repeated(self, receipts: Sequence[ReceiptRow]) -> Sequence[ReceiptRow]:
        """The first receipt of each state and recipient, unless one is kept already: only those bytes are stored."""
        kept: set[tuple[str, str, str]] = set()
        for part in in_parts([row.message_id for row in receipts]):
            query = select(receipt.c.message_id, receipt.c.recipient, receipt.c.state)
            found = await self._transaction.rows(query.where(receipt.c.message_id.in_(part)))
            kept.update((row["message_id"], row["recipient"], row["state"]) for row in found)
        fresh: dict[tuple[str, str, str], ReceiptRow] = {}
        for row in receipts:
            key = (row.message_id, row.recipient, row.state)
            if key not in kept:
                fresh.setdefault(key, row)
        return tuple(fresh.values())

    async def mark_acknowledged(self, message_id: str, recipient_id: str, *, level: str, at: datetime) -> None:
        """A person at the recipient answered; the last answer's level and the first answer's time are kept."""
        answered = (
            update(recipient)
            .where(recipient.c.message_id == message_id, recipient.c.recipient == recipient_id)
            .values(
                level=level, acknowledged_at=func.coalesce(recipient.c.acknowledged_at, literal(at, UtcMicroseconds))
            )
        )
        await self._transaction.change(answered)

    async def undelivered(
        self, *, expires_after: datetime, sent_before: datetime, limit: int
    ) -> tuple[Sequence[UndeliveredCount], Sequence[Undelivered]]:
        """What recipients have not got: counts, and the first of them; see the port."""
        return await list_undelivered(
            self._transaction, expires_after=expires_after, sent_before=sent_before, limit=limit
        )

    async def erase_bodies(self, message_ids: Sequence[str]) -> int:
        """Destroys the data keys and ciphertexts of our own copies; answers how many there were."""
        senders: dict[str, str] = {}
        for part in in_parts(message_ids):
            of_these = select(message.c.id, message.c.sender).where(message.c.id.in_(part))
            senders |= {row["id"]: row["sender"] for row in await self._transaction.rows(of_these)}
        return await erase_bodies(self._transaction, [(own, message_id, own) for message_id, own in senders.items()])


def _publishes(publishes: Sequence[tuple[str, str]]) -> list[dict[str, object]]:
    return [{"at_message": message_id, "at_prefix": prefix} for message_id, prefix in sorted(set(publishes))]


def _answer(row: ReceiptRow) -> dict[str, object]:
    return {
        "at_message": row.message_id,
        "at_recipient": row.recipient,
        "to_state": row.state,
        "with_code": row.code,
        "at": row.received_at if row.state == "delivered" else None,
    }
