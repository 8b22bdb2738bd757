"""The numbers that recipients asked us for again: what the ledger has under them, and what they were answered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, delete, func, or_, select, tuple_, update

from bridge.adapters.store.each_named import each_named
from bridge.adapters.store.tables import asked_again, message, outbox, peer, recipient, undelivered, unsent, wire
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.ports.store.no_gap import AskedAgain, NumberRange, Published, SentCopy, Unanswered

_KEY = ("sender", "recipient", "epoch", "lane", "number")
_REST = ("message_id", "code", "times", "asked_at", "answered_at")


class SqlAskedAgain:
    """Implements `bridge.ports.store.no_gap.AskedAgainBook`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def noted(self, key: NumberRange, numbers: Sequence[int]) -> Mapping[int, datetime | None]:
        """Those of the numbers that are noted, with when they were answered last; `key` names their stream."""
        found: dict[int, datetime | None] = {}
        for part in in_parts(numbers):
            query = select(asked_again.c.number, asked_again.c.answered_at).where(_of(key))
            rows = await self._transaction.rows(query.where(asked_again.c.number.in_(part)))
            found |= {row["number"]: row["answered_at"] for row in rows}
        return found

    async def find_sent(self, key: NumberRange, numbers: Sequence[int]) -> Sequence[SentCopy]:
        """What the ledger has under these numbers."""
        query = (
            select(recipient.c.number, message.c.id, message.c.kind, message.c.sent, wire.c.wire_bytes)
            .join(message, message.c.id == recipient.c.message_id)
            .join(wire, wire.c.sha256 == message.c.wire_sha256)
            .where(recipient.c.recipient == key.recipient, recipient.c.epoch == key.epoch)
            .where(recipient.c.number.in_(numbers), message.c.sender == key.sender, message.c.lane == key.lane)
            .order_by(recipient.c.number)
        )
        return [_copy(row) for row in await self._transaction.rows(query)]

    async def unanswered(
        self, senders: Collection[str], *, after: Published, before: datetime, limit: int
    ) -> Sequence[Unanswered]:
        """What was published after one publish and before a moment, and has no receipt though its recipient was heard.

        In the order of publishes.
        """
        to = recipient.c
        place = (to.sent_at, to.message_id, to.recipient)
        query = (
            select(message.c.sender, to.recipient, to.number, message.c.lane, to.sent_at)
            .add_columns(message.c.id, message.c.kind, message.c.sent, wire.c.wire_bytes)
            .join(message, message.c.id == to.message_id)
            .join(wire, wire.c.sha256 == message.c.wire_sha256)
            .join(peer, and_(peer.c.contact_point == message.c.sender, peer.c.peer == to.recipient))
            .where(undelivered, to.state == "sent", to.sent_at < before, _is_beyond(after))
            .where(message.c.sender.in_(senders), peer.c.heard_at > to.sent_at)
            .order_by(*place)
            .limit(limit)
        )
        return [
            Unanswered(row["sender"], row["recipient"], row["lane"], row["sent_at"], _copy(row))
            for row in await self._transaction.rows(query)
        ]

    async def still_waiting(self, message_ids: Sequence[str], *, country: str) -> Collection[str]:
        """Those of the messages whose publish towards a country is still to be made."""
        query = select(outbox.c.message_id).where(unsent, outbox.c.relay == "publisher", outbox.c.country == country)
        rows = await self._transaction.rows(query.where(outbox.c.message_id.in_(message_ids)))
        return {row["message_id"] for row in rows}

    async def note(self, rows: Sequence[AskedAgain]) -> None:
        """Notes what was asked for and answered; asked for again, it counts one more time."""
        insert = self._transaction.insert(asked_again)
        again = insert.on_conflict_do_update(
            index_elements=[asked_again.c[name] for name in _KEY],
            set_={name: insert.excluded[name] for name in _REST}
            | {"times": asked_again.c.times + 1, "settled_at": None},
        )
        values = [{name: getattr(row, name) for name in (*_KEY, *_REST)} for row in rows]
        await self._transaction.change_each(again, values)

    async def count(self, sender: str, recipient: str) -> int:
        """How many numbers of a pair are outstanding."""
        table = asked_again.c
        query = select(func.count().label("count")).where(table.sender == sender, table.recipient == recipient)
        count: int = (await self._transaction.rows(query.where(table.settled_at.is_(None))))[0]["count"]
        return count

    async def settle(self, sender: str, receipts: Sequence[tuple[str, str]], at: datetime) -> None:
        """Receipts came for (message id, recipient): nothing is outstanding about them any more."""
        pair = tuple_(asked_again.c.message_id, asked_again.c.recipient)
        outstanding = asked_again.c.settled_at.is_(None)
        for part in in_parts(receipts):
            settled = update(asked_again).where(asked_again.c.sender == sender, outstanding, pair.in_(part))
            await self._transaction.change(settled.values(settled_at=at))

    async def list(self, senders: Collection[str], *, limit: int) -> Sequence[AskedAgain]:
        """What is outstanding, oldest first: at most `limit`, but one of each recipient, sender and lane at least."""
        table = asked_again.c
        columns = [table[name] for name in (*_KEY, *_REST)]
        query = each_named(
            select(*columns).where(table.sender.in_(senders), table.settled_at.is_(None)),
            group=(table.recipient, table.sender, table.lane),
            order=(table.asked_at, *(table[name] for name in _KEY)),
            limit=limit,
        )
        rows = await self._transaction.rows(query)
        return [AskedAgain(**{name: row[name] for name in (*_KEY, *_REST)}) for row in rows]

    async def forget(self, *, answered_before: datetime, settled_answered_before: datetime) -> None:
        """Drops what was answered before a moment; what is settled may have another one."""
        table = asked_again.c
        settled = and_(table.settled_at.is_not(None), table.answered_at < settled_answered_before)
        await self._transaction.change(delete(asked_again).where(or_(table.answered_at < answered_before, settled)))


def _is_beyond(place: Published) -> ColumnElement[bool]:
    to = recipient.c
    at_that_moment = and_(to.sent_at == place.sent_at, tuple_(to.message_id, to.recipient) > place[1:])
    return or_(to.sent_at > place.sent_at, at_that_moment)


def _copy(row: RowMapping) -> SentCopy:
    return SentCopy(row["number"], row["id"], row["kind"], row["sent"], row["wire_bytes"])


def _of(key: NumberRange) -> ColumnElement[bool]:
    table = asked_again.c
    return and_(
        table.sender == key.sender,
        table.recipient == key.recipient,
        table.epoch == key.epoch,
        table.lane == key.lane,
    )
