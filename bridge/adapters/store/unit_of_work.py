"""The store over SQLAlchemy Core: opens units of work, commits or rolls back, checks that the database can be written.

SQLite has one writer at a time; within a process they queue up here for a lock, fairly and without polling, and only
other processes (the command line) meet SQLite's own waiting. PostgreSQL's writers run side by side.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text, update
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.adapters.store.accounts import SqlAccounts
from bridge.adapters.store.asked_again import SqlAskedAgain
from bridge.adapters.store.audit import SqlAuditLog
from bridge.adapters.store.audit_seals import SqlAuditSeals
from bridge.adapters.store.changes import SqliteChanges
from bridge.adapters.store.corridors import SqlCorridors
from bridge.adapters.store.deadlines import SqlDeadlines
from bridge.adapters.store.desk import SqlDeskBook
from bridge.adapters.store.drafts import SqlDrafts
from bridge.adapters.store.engine import READS_ONLY, is_sqlite, make_engine, parse_url, sqlite_path
from bridge.adapters.store.exposures import SqlExposures
from bridge.adapters.store.gaps import SqlGaps
from bridge.adapters.store.handovers import SqlHandovers
from bridge.adapters.store.happenings import SqlHappenings
from bridge.adapters.store.inbox import SqlInbox
from bridge.adapters.store.ledger import SqlLedger
from bridge.adapters.store.notices import SqlNotices
from bridge.adapters.store.operations import SqlOperations
from bridge.adapters.store.outbox import SqlOutbox
from bridge.adapters.store.peers import SqlPeers
from bridge.adapters.store.refusals import SqlRefusals
from bridge.adapters.store.search import SqlSearchIndex
from bridge.adapters.store.sent_alerts import SqlSentAlerts
from bridge.adapters.store.signatures import SqlSignatures
from bridge.adapters.store.systems import SqlSystems
from bridge.adapters.store.tables import SCHEMA_REVISION, node_state
from bridge.adapters.store.transaction import Transaction, translated
from bridge.adapters.store.webhooks import SqlWebhooks
from bridge.core.errors import UnavailableError
from bridge.ports.store import AuditLog, Inbox, Ledger, Outbox, Refusals, UnitOfWork
from bridge.ports.store.accounts import Accounts
from bridge.ports.store.audit_seals import AuditSeals
from bridge.ports.store.corridors import Corridors
from bridge.ports.store.deadlines import Deadlines
from bridge.ports.store.desk import DeskBook
from bridge.ports.store.drafts import Drafts
from bridge.ports.store.exposures import Exposures
from bridge.ports.store.handovers import Handovers
from bridge.ports.store.happenings import Happenings
from bridge.ports.store.no_gap import AskedAgainBook, Gaps, Peers
from bridge.ports.store.notices import Notices
from bridge.ports.store.operations import Operations
from bridge.ports.store.search import SearchIndex
from bridge.ports.store.sent_alerts import SentAlerts
from bridge.ports.store.signatures import Signatures
from bridge.ports.store.systems import Systems
from bridge.ports.store.webhooks import Webhooks

UNTOLD_SECONDS: Final = 0.2


@dataclass(slots=True)
class SqlUnitOfWork:
    """The repositories of one transaction."""

    ledger: Ledger
    outbox: Outbox
    inbox: Inbox
    refusals: Refusals
    audit: AuditLog
    audit_seals: AuditSeals
    gaps: Gaps
    asked_again: AskedAgainBook
    peers: Peers
    signatures: Signatures
    exposures: Exposures
    accounts: Accounts
    deadlines: Deadlines
    happenings: Happenings
    notices: Notices
    handovers: Handovers
    drafts: Drafts
    sent_alerts: SentAlerts
    desk: DeskBook
    search: SearchIndex
    corridors: Corridors
    operations: Operations
    systems: Systems
    webhooks: Webhooks


class SqlStore:
    """Implements `bridge.ports.store.Store` on an engine made by `make_engine`.

    Args:
        engine: of the database.
        changes: of the same, for SQLite.
    """

    def __init__(self, engine: AsyncEngine, changes: SqliteChanges | None = None) -> None:
        self._engine, self._changes = engine, changes
        on_sqlite = engine.dialect.name == "sqlite"
        self._turn = asyncio.Lock() if on_sqlite else nullcontext()
        # Readers see one moment throughout: SQLite's snapshot, PostgreSQL's REPEATABLE READ.
        reading = (
            {READS_ONLY: True} if on_sqlite else {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        )
        self._reader = engine.execution_options(**reading)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work that may write; commits when left, rolls back on any exception."""
        async with self._turn, _transaction(self._engine) as transaction:
            yield _unit(transaction)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[UnitOfWork]:
        """A unit of work that sees one moment of the database and cannot write."""
        async with _transaction(self._reader) as transaction:
            yield _unit(transaction)

    def mark(self) -> object:
        """Equal to the one before as long as nobody has committed a change.

        PostgreSQL is not asked, which would cost as much as a look: there every fifth of a second counts as a change.
        """
        return time.monotonic() // UNTOLD_SECONDS if self._changes is None else self._changes.mark()

    async def check_schema(self) -> None:
        """Reads which schema the database has.

        Raises:
            UnavailableError: it cannot be read (`database_faults`), or has another schema (`E_DATABASE_SCHEMA`).
        """
        async with _transaction(self._reader) as transaction:
            await _check_schema(transaction)

    async def check(self) -> None:
        """Writes and commits something that changes nothing.

        Raises:
            UnavailableError: it cannot be written (`database_faults`), or has another schema (`E_DATABASE_SCHEMA`).
        """
        async with self._turn, _transaction(self._engine) as transaction:
            await _check_schema(transaction)
            await transaction.wait_briefly()
            await transaction.change(update(node_state).values(epoch=node_state.c.epoch))

    async def sweep_erased(self) -> bool:
        """Has SQLite's log forget what was erased; answers whether it did, or somebody was reading all the while.

        Erased bytes are overwritten in the file (`secure_delete`) when the log is carried over, but older pages of the
        log would hold them until it is written over. PostgreSQL's VACUUM is the server's own business.
        """
        if self._engine.dialect.name != "sqlite":
            return True
        async with self._turn:
            with translated():
                async with self._engine.connect() as connection:
                    return await connection.run_sync(_truncate_log)

    async def server_time(self) -> datetime | None:
        """What the database's server has for the time; `None` on SQLite, which has this machine's."""
        if self._engine.dialect.name == "sqlite":
            return None
        async with _transaction(self._reader) as transaction:
            (row,) = await transaction.rows(text("SELECT clock_timestamp() AS now"))
        moment: datetime = row["now"]
        return moment

    async def close(self) -> None:
        """Closes every connection."""
        if self._changes is not None:
            self._changes.close()
        await self._engine.dispose()


def open_store(url: str) -> SqlStore:
    """The store behind `sqlite:///<path>` or `postgresql://...`. Opens nothing yet and does not migrate.

    Raises:
        BadInputError: `E_DATABASE_URL`.
        UnavailableError: `E_DATABASE`, PostgreSQL's driver is not installed.
    """
    engine, parsed = make_engine(url), parse_url(url)
    return SqlStore(engine, SqliteChanges(sqlite_path(parsed)) if is_sqlite(parsed) else None)


def _truncate_log(connection: Connection) -> bool:
    """Past SQLAlchemy, which would begin a transaction: a checkpoint cannot run in one."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        row = cursor.fetchone()
    except sqlite3.Error:
        return False
    finally:
        cursor.close()
    return row is not None and row[0] == 0


@asynccontextmanager
async def _transaction(engine: AsyncEngine) -> AsyncIterator[Transaction]:
    async with AsyncExitStack() as stack:
        with translated():
            connection = await stack.enter_async_context(engine.connect())
            begun = await connection.begin()
        transaction = Transaction(connection)
        yield transaction  # an exception from here on closes the connection, which rolls back
        transaction.check()
        with translated():
            await begun.commit()


async def _check_schema(transaction: Transaction) -> None:
    rows = await transaction.rows(text("SELECT version_num FROM alembic_version"))
    found = [row["version_num"] for row in rows]
    if found != [SCHEMA_REVISION]:
        detail = f"the database has schema {', '.join(found) or 'none'}, this program needs {SCHEMA_REVISION}"
        raise UnavailableError("E_DATABASE_SCHEMA", detail)


def _unit(transaction: Transaction) -> SqlUnitOfWork:
    return SqlUnitOfWork(
        ledger=SqlLedger(transaction),
        outbox=SqlOutbox(transaction),
        inbox=SqlInbox(transaction),
        refusals=SqlRefusals(transaction),
        audit=SqlAuditLog(transaction),
        audit_seals=SqlAuditSeals(transaction),
        gaps=SqlGaps(transaction),
        asked_again=SqlAskedAgain(transaction),
        peers=SqlPeers(transaction),
        signatures=SqlSignatures(transaction),
        exposures=SqlExposures(transaction),
        accounts=SqlAccounts(transaction),
        deadlines=SqlDeadlines(transaction),
        happenings=SqlHappenings(transaction),
        notices=SqlNotices(transaction),
        handovers=SqlHandovers(transaction),
        drafts=SqlDrafts(transaction),
        sent_alerts=SqlSentAlerts(transaction),
        desk=SqlDeskBook(transaction),
        search=SqlSearchIndex(transaction),
        corridors=SqlCorridors(transaction),
        operations=SqlOperations(transaction),
        systems=SqlSystems(transaction),
        webhooks=SqlWebhooks(transaction),
    )
