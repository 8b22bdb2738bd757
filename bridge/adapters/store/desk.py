"""The inbox as officers work with it. Each group is found by an index of its own, whatever lies in the archive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, RowMapping, Select, and_, exists, func, literal_column, not_, null, select, update

from bridge.adapters.store.kept_bytes import BODY_COLUMNS, body_of, read_body
from bridge.adapters.store.tables import body, in_work, inbox, message, receipt, unanswered, wire
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.desk import DeskItem, Group, ItemId
from bridge.ports.store.records import ReceiptRow

_COPIED: Final = (
    "position",
    "contact_point",
    "id",
    "sender",
    "kind",
    "status",
    "urgency",
    "thread",
    "sent",
    "received_at",
    "acknowledge_by",
    "state",
    "supersedes",
    "of",
    "taken_by",
    "taken_at",
    "closed_by",
    "closed_at",
)
_COLUMNS: Final = tuple(inbox.c[name] for name in _COPIED)
_WITH_BODIES: Final = select(*_COLUMNS, *BODY_COLUMNS).outerjoin(
    body, body_of(inbox.c.contact_point, inbox.c.id, inbox.c.sender)
)
_later: Final = inbox.alias("later")
# Only the originator takes the place of a message, and an exercise none of a real alert: no other claim folds it away.
_takes_its_place: Final[ColumnElement[bool]] = and_(
    _later.c.contact_point == inbox.c.contact_point,
    _later.c.supersedes == inbox.c.id,
    _later.c.supersedes_from == inbox.c.sender,
    _later.c.sender == inbox.c.sender,
    _later.c.status == inbox.c.status,
)
_is_newest: Final[ColumnElement[bool]] = not_(exists().where(_takes_its_place))
# The rest, written out: for each row of the archive it is decided from the row.
_settled: Final[ColumnElement[bool]] = literal_column(
    "(acknowledge_by IS NULL OR state = 'expired' OR (state = 'acknowledged' AND closed_at IS NOT NULL))"
)
_GROUPS: Final = {Group.NEEDS_ACTION: unanswered, Group.IN_PROGRESS: in_work, Group.FOR_INFORMATION: _settled}


class SqlDeskBook:
    """Implements `bridge.ports.store.desk.DeskBook`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def list(
        self, contact_point: str, group: Group, *, before: int | None = None, limit: int
    ) -> Sequence[DeskItem]:
        """One group, with bodies: needs action by its deadline, the others newest first."""
        chosen = _WITH_BODIES.where(_in_group(contact_point, group)).limit(limit)
        if group is Group.NEEDS_ACTION:
            chosen = chosen.order_by(inbox.c.acknowledge_by, inbox.c.position)
        else:
            chosen = chosen.order_by(inbox.c.position.desc())
            if before is not None:
                chosen = chosen.where(inbox.c.position < before)
        return await self._items(chosen)

    async def count(self, contact_point: str, group: Group, *, most: int) -> int:
        """How many items a group has, counted up to `most`."""
        some = select(inbox.c.position).where(_in_group(contact_point, group)).limit(most).subquery()
        (row,) = await self._transaction.rows(select(func.count().label("n")).select_from(some))
        counted: int = row["n"]
        return counted

    async def get(self, contact_point: str, item: ItemId) -> DeskItem | None:
        """One item, whether something took its place or not."""
        found = await self._items(_WITH_BODIES.where(_this(contact_point, item)))
        return found[0] if found else None

    async def lock(self, contact_point: str, item: ItemId) -> DeskItem | None:
        """The same without its body, kept from other transactions until this one ends."""
        nothing = (null().label("wrapped_key"), null().label("ciphertext"))
        locked = select(*_COLUMNS, *nothing).where(_this(contact_point, item)).with_for_update()
        found = await self._items(locked)
        return found[0] if found else None

    async def thread(self, contact_point: str, thread: str, *, limit: int) -> Sequence[DeskItem]:
        """The newest received messages of a thread, with bodies, in the order of arrival."""
        own = and_(inbox.c.contact_point == contact_point, inbox.c.thread == thread)
        chosen = _WITH_BODIES.where(own).order_by(inbox.c.position.desc()).limit(limit)
        return (await self._items(chosen))[::-1]

    async def replaced_by(self, contact_point: str, item: ItemId) -> ItemId | None:
        """The last message that took this one's place."""
        query = (
            select(_later.c.sender, _later.c.id)
            .join(inbox, _takes_its_place)
            .where(_this(contact_point, item))
            .order_by(_later.c.position.desc())
            .limit(1)
        )
        rows = await self._transaction.rows(query)
        return (rows[0]["sender"], rows[0]["id"]) if rows else None

    async def take(self, contact_point: str, item: ItemId, officer: str | None, at: datetime) -> None:
        """Notes who has it in hand; `None`: nobody."""
        values = {"taken_by": officer, "taken_at": at if officer is not None else None}
        await self._transaction.change(update(inbox).where(_this(contact_point, item)).values(values))

    async def close(self, contact_point: str, item: ItemId, officer: str | None, at: datetime) -> None:
        """Notes who closed it; `None`: it is open again."""
        values = {"closed_by": officer, "closed_at": at if officer is not None else None}
        await self._transaction.change(update(inbox).where(_this(contact_point, item)).values(values))

    async def own_thread(self, contact_point: str, thread: str) -> Sequence[str]:
        """The ids of what this contact point sent in a thread, oldest first."""
        query = select(message.c.id).where(message.c.thread == thread, message.c.sender == contact_point)
        return [row["id"] for row in await self._transaction.rows(query.order_by(message.c.position))]

    async def receipts(self, message_id: str) -> Sequence[ReceiptRow]:
        """The verified receipts for a message of ours, in the order in which they came."""
        columns = [receipt.c[field.name] for field in fields(ReceiptRow) if field.name in receipt.c]
        query = (
            select(*columns, wire.c.wire_bytes)
            .join(wire, wire.c.sha256 == receipt.c.wire_sha256)
            .where(receipt.c.message_id == message_id)
            .order_by(receipt.c.received_at, receipt.c.recipient, receipt.c.state)
        )
        return [ReceiptRow(**row) for row in await self._transaction.rows(query)]

    async def _items(self, chosen: Select[*tuple[object, ...]]) -> Sequence[DeskItem]:
        return [_item(row) for row in await self._transaction.rows(chosen)]


def _in_group(contact_point: str, group: Group) -> ColumnElement[bool]:
    return and_(inbox.c.contact_point == contact_point, _GROUPS[group], _is_newest)


def _this(contact_point: str, item: ItemId) -> ColumnElement[bool]:
    sender, message_id = item
    return and_(inbox.c.contact_point == contact_point, inbox.c.id == message_id, inbox.c.sender == sender)


def _item(row: RowMapping) -> DeskItem:
    return DeskItem(**{name: row[name] for name in _COPIED}, body=read_body(row))
