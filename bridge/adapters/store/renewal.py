"""What a restored database needs before anybody may use it: this program's schema, and a new epoch.

All of it happens in the transaction that the caller commits. The old numbers are not used again: peers may have seen
what was sent under them after the backup (wire-format: `seq`). What waited in the outbox waits again; much of it was
sent since, and its recipients absorb it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, inspect, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.adapters.store.audit import SqlAuditLog
from bridge.adapters.store.numbering import begin_epoch
from bridge.adapters.store.schema import upgrade
from bridge.adapters.store.tables import inbox, message, node_state, outbox, unsent
from bridge.adapters.store.transaction import Transaction
from bridge.ports.store.records import AuditEntry


@dataclass(frozen=True, slots=True)
class Restoring:
    """Who restores what, when; `origin` goes into the audit log."""

    now: datetime
    actor: str
    origin: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore brought. `previous` is the backup's epoch; `kept_aside` is where the database before it is now."""

    epoch: int
    previous: int
    messages: int
    inbox: int
    kept_aside: str | None = None


async def renew(connection: AsyncConnection, restoring: Restoring, *, above: int = 0) -> Restored:
    """Makes a copied database ready to be used; its new epoch is higher than its own and than `above`.

    Raises:
        UnavailableError: `E_DATABASE_SCHEMA`, it is newer than we are.
    """
    await upgrade(connection)
    transaction = Transaction(connection)
    previous: int = (await transaction.rows(select(node_state.c.epoch)))[0]["epoch"]
    if above > previous:
        await transaction.change(update(node_state).values(epoch=above))
    epoch = await begin_epoch(transaction, restoring.now)
    due = {"lease_token": None, "lease_until": None, "next_attempt_at": None}
    await transaction.change(update(outbox).where(unsent).values(**due))
    detail = {"epoch": str(epoch), "previous": str(previous), **restoring.origin}
    entry = AuditEntry(
        at=restoring.now,
        actor=restoring.actor,
        action="database.restored",
        contact_point=None,
        subject=None,
        detail=detail,
    )
    await SqlAuditLog(transaction).add([entry])
    counts = select(
        select(func.count()).select_from(message).scalar_subquery().label("messages"),
        select(func.count()).select_from(inbox).scalar_subquery().label("inbox"),
    )
    (counted,) = await transaction.rows(counts)
    return Restored(epoch, previous, counted["messages"], counted["inbox"])


async def epoch_of(connection: AsyncConnection) -> int:
    """The epoch of a database, 0 when it holds no tables."""

    def is_there(synchronous: Connection) -> bool:
        return inspect(synchronous).has_table(node_state.name)

    if not await connection.run_sync(is_there):
        return 0
    return int((await connection.execute(select(node_state.c.epoch))).scalar_one())
