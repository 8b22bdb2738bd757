"""What may have to be signed anew: messages that are on their way, and control messages that have not left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, exists, or_, select, update

from bridge.adapters.store.kept_bytes import store_wire
from bridge.adapters.store.outbox import OUTBOX_COLUMNS, read_outbox_row, withdrawn
from bridge.adapters.store.tables import message, outbox, recipient, undelivered, unsent, wire
from bridge.adapters.store.transaction import Transaction, in_parts
from bridge.core.wire.payload import CONTROL_KINDS
from bridge.ports.store.records import OutboxRow
from bridge.ports.store.signatures import Unfinished

PUBLISHER: Final = "publisher"
_REPLACED: Final = update(message).where(message.c.id == bindparam("at")).values(wire_sha256=bindparam("digest"))


class SqlSignatures:
    """Implements `bridge.ports.store.signatures.Signatures`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def unfinished(
        self, sender: str, *, after: int, codes: Collection[str], now: datetime, limit: int
    ) -> Sequence[Unfinished]:
        """A sender's messages behind a place that have not expired and that somebody has not got, in order."""
        to = recipient.c
        awaited = or_(to.state.in_(("pending", "sent")), to.code.in_(codes))
        query = (
            select(message.c.position, message.c.id, message.c.sent, wire.c.wire_bytes)
            .join(wire, wire.c.sha256 == message.c.wire_sha256)
            .where(message.c.sender == sender, message.c.position > after, message.c.expires > now)
            .where(exists().where(to.message_id == message.c.id, undelivered, awaited))
            .order_by(message.c.position)
            .limit(limit)
        )
        rows = await self._transaction.rows(query)
        return [Unfinished(row["position"], row["id"], row["sent"], row["wire_bytes"]) for row in rows]

    async def replace(self, wire_bytes: Mapping[str, bytes]) -> None:
        """The ledger has messages with these bytes from now on; the earlier ones stay, they are evidence, too."""
        in_order = sorted(wire_bytes)
        digests = await store_wire(self._transaction, [wire_bytes[message_id] for message_id in in_order])
        values = [{"at": message_id, "digest": digest} for message_id, digest in zip(in_order, digests, strict=True)]
        await self._transaction.change_each(_REPLACED, values)

    async def waiting_controls(self, sender: str, *, after: int, limit: int) -> Sequence[tuple[int, OutboxRow]]:
        """A sender's control messages that no relay has published yet, with their places, behind one."""
        query = (
            select(outbox.c.position, *OUTBOX_COLUMNS, outbox.c.own_bytes, wire.c.wire_bytes)
            .join(wire, wire.c.sha256 == outbox.c.wire_sha256)
            .where(outbox.c.relay == PUBLISHER, unsent, outbox.c.sender == sender, outbox.c.position > after)
            .where(outbox.c.kind.in_(sorted(CONTROL_KINDS)))
            .order_by(outbox.c.position)
            .limit(limit)
        )
        return [(row["position"], read_outbox_row(row)) for row in await self._transaction.rows(query)]

    async def withdraw(self, message_ids: Sequence[str], now: datetime) -> None:
        """Settles the publisher's rows of these messages that still wait, leased or not."""
        for part in in_parts(message_ids):
            waiting = update(outbox).where(outbox.c.relay == PUBLISHER, unsent, outbox.c.message_id.in_(part))
            await self._transaction.change(waiting.values(withdrawn(now)))
