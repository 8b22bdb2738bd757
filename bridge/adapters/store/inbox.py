"""What the node's contact points received: items, what is known of each message, and the signed numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import RowMapping, null, select, update

from bridge.adapters.store.kept_bytes import BODY_COLUMNS, body_of, erase_bodies, keep_bodies, keep_wire, read_body
from bridge.adapters.store.sequence import missing_numbers, note_numbers
from bridge.adapters.store.tables import body, inbox, message, replay, wire
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.core.errors import BadInputError
from bridge.ports.store import MessageKey
from bridge.ports.store.records import InboxItem, Replay, SequenceUse, cursor_of

_COPIED: Final = (
    "contact_point",
    "id",
    "sender",
    "kind",
    "schema",
    "status",
    "urgency",
    "lane",
    "thread",
    "sent",
    "expires",
    "received_at",
    "acknowledge_by",
    "state",
    "payload_sha256",
    "sealed_sha256",
    "supersedes",
    "supersedes_from",
    "of",
    "of_from",
)
_COLUMNS: Final = tuple(inbox.c[name] for name in _COPIED)
_REPLAY: Final = ("payload_sha256", "outcome", "answered_at", "conflict_answered_at")
_BEFORE: Final = {"read": ("new",), "acknowledged": ("new", "read")}  # the states that each may replace


class SqlInbox:
    """Implements `bridge.ports.store.Inbox`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def begin_receiving(self, contact_point: str) -> None:
        """Waits for its turn to receive for a contact point, and keeps it to the end of the transaction."""
        await self._transaction.take_turn(f"receive {contact_point}")

    async def replays(self, contact_point: str, keys: Sequence[MessageKey]) -> Mapping[MessageKey, Replay]:
        """What is known of these messages."""
        asked = set(keys)
        known: dict[MessageKey, Replay] = {}
        for part in in_parts([message_id for _, message_id in keys]):
            query = select(replay).where(replay.c.contact_point == contact_point, replay.c.message_id.in_(part))
            for row in await self._transaction.rows(query):
                key = (row["sender"], row["message_id"])
                if key in asked:
                    known[key] = Replay(**{name: row[name] for name in _REPLAY})
        return known

    async def remember(self, contact_point: str, replays: Mapping[MessageKey, Replay]) -> None:
        """Adds or replaces what is known of these messages."""
        values = [
            {
                "contact_point": contact_point,
                "message_id": message_id,
                "sender": sender,
                **{name: getattr(known, name) for name in _REPLAY},
            }
            for (sender, message_id), known in replays.items()
        ]
        statement = self._transaction.insert(replay)
        replaced = {name: statement.excluded[name] for name in _REPLAY}
        upsert = statement.on_conflict_do_update(index_elements=replay.primary_key, set_=replaced)
        await self._transaction.change_each(upsert, values)

    async def originators(self, contact_point: str, threads: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Thread -> the senders, known here, of the message that gave it its name; nothing else speaks for a thread."""
        originators: dict[str, list[str]] = {}
        for part in in_parts(threads):
            sent = select(message.c.thread, message.c.sender).where(message.c.sender == contact_point)
            received = select(inbox.c.thread, inbox.c.sender).where(inbox.c.contact_point == contact_point)
            for query in (
                sent.where(message.c.id.in_(part), message.c.id == message.c.thread),
                received.where(inbox.c.id.in_(part), inbox.c.id == inbox.c.thread).order_by(inbox.c.position),
            ):
                for row in await self._transaction.rows(query):
                    originators.setdefault(row["thread"], []).append(row["sender"])
        return originators

    async def use_numbers(self, uses: Sequence[SequenceUse], at: datetime) -> Sequence[SequenceUse]:
        """Notes used numbers, opens and closes gaps; answers the uses whose number another message had used."""
        return await note_numbers(self._transaction, uses, at) if uses else []

    async def gaps(self, *, older_than: datetime) -> Sequence[tuple[str, str, int, str, int]]:
        """Missing numbers first missed before a moment: (recipient, sender, epoch, lane, number)."""
        return await missing_numbers(self._transaction, older_than=older_than)

    async def add(self, items: Sequence[InboxItem]) -> None:
        """Stores received messages. One that is there already stays, only an expired stub gives way to the message."""
        # Positions become visible in order, or whoever watches the inbox could step over one.
        await self._transaction.take_turn("inbox position")
        digests = await keep_wire(self._transaction, items)
        bodies = [(item.contact_point, item.id, item.sender, item.body) for item in items if item.body is not None]
        await keep_bodies(self._transaction, bodies)
        values = [
            {name: getattr(item, name) for name in _COPIED} | {"wire_sha256": digest}
            for item, digest in zip(items, digests, strict=True)
        ]
        statement = self._transaction.insert(inbox)
        upsert = statement.on_conflict_do_update(
            index_elements=[inbox.c.id, inbox.c.contact_point, inbox.c.sender],
            set_={name: statement.excluded[name] for name in (*_COPIED, "wire_sha256")},
            where=inbox.c.state == "expired",
        )
        await self._transaction.change_each(upsert, values)

    async def get(self, message_id: str, *, contact_point: str | None = None) -> Sequence[InboxItem]:
        """The items with this message id, oldest first, with their bodies unless those were erased."""
        query = (
            select(*_COLUMNS, inbox.c.position, wire.c.wire_bytes, *BODY_COLUMNS)
            .join(wire, wire.c.sha256 == inbox.c.wire_sha256)
            .outerjoin(body, body_of(inbox.c.contact_point, inbox.c.id, inbox.c.sender))
            .where(inbox.c.id == message_id)
        )
        if contact_point is not None:
            query = query.where(inbox.c.contact_point == contact_point)
        # Sorted here: SQLite, asked for an order, walks over all of the contact point's messages in that order.
        rows = sorted(await self._transaction.rows(query), key=lambda row: row["position"])
        return [_item(row) for row in rows]

    async def list(
        self, *, contact_point: str | None = None, state: str | None = None, after: str | None = None, limit: int = 200
    ) -> Sequence[InboxItem]:
        """Oldest first by arrival, without bodies; `after` continues behind an item's `cursor`.

        Raises:
            BadInputError: `E_CURSOR`, there is no such item.
        """
        query = (
            select(*_COLUMNS, wire.c.wire_bytes, null().label("wrapped_key"), null().label("ciphertext"))
            .join(wire, wire.c.sha256 == inbox.c.wire_sha256)
            .order_by(inbox.c.position)
            .limit(limit)
        )
        if contact_point is not None:
            query = query.where(inbox.c.contact_point == contact_point)
        if state is not None:
            query = query.where(inbox.c.state == state)
        if after is not None:
            query = query.where(inbox.c.position > await self._position(after))
        return [_item(row) for row in await self._transaction.rows(query)]

    async def newest(self, contact_point: str | None) -> str | None:
        """The cursor of the item that arrived last, or `None` when there is none."""
        query = select(inbox.c.contact_point, inbox.c.id, inbox.c.sender).order_by(inbox.c.position.desc()).limit(1)
        if contact_point is not None:
            query = query.where(inbox.c.contact_point == contact_point)
        rows = await self._transaction.rows(query)
        return cursor_of(rows[0]["contact_point"], rows[0]["id"], rows[0]["sender"]) if rows else None

    async def set_state(self, contact_point: str, message_id: str, state: str, *, sender: str | None = None) -> None:
        """Moves an item on: `new` to `read`, either to `acknowledged`; never back."""
        moved = update(inbox).where(inbox.c.contact_point == contact_point, inbox.c.id == message_id)
        if sender is not None:
            moved = moved.where(inbox.c.sender == sender)
        await self._transaction.change(moved.where(inbox.c.state.in_(_BEFORE[state])).values(state=state))

    async def erase_bodies(self, contact_point: str, keys: Sequence[MessageKey]) -> int:
        """Destroys data keys and ciphertexts; the items stay. Answers how many bodies there were."""
        bodies = [(contact_point, message_id, sender) for sender, message_id in keys]
        return await erase_bodies(self._transaction, bodies)

    async def _position(self, cursor: str) -> int:
        contact_point, _, rest = cursor.partition("/")
        message_id, _, sender = rest.partition("/")
        query = select(inbox.c.position).where(
            inbox.c.contact_point == contact_point, inbox.c.id == message_id, inbox.c.sender == sender
        )
        rows = await self._transaction.rows(query)
        if not rows:
            raise BadInputError("E_CURSOR", f"{cursor!r} is not <contact point>/<id>/<sender> of an item here")
        position: int = rows[0]["position"]
        return position


def _item(row: RowMapping) -> InboxItem:
    return InboxItem(**{name: row[name] for name in _COPIED}, wire_bytes=row["wire_bytes"], body=read_body(row))
