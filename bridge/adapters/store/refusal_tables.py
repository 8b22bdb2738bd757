"""The tables of what was refused and of what cannot be judged yet. `holder` is the contact point, '' the router."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint
from sqlalchemy.schema import SchemaItem

from bridge.adapters.store.table_parts import arrival, metadata, moment, required


def _columns(*more: SchemaItem) -> list[SchemaItem]:
    return [
        arrival(),
        Column("id", Text, nullable=False, unique=True),
        required("code"),
        Column("step", Integer, nullable=False),
        required("detail"),
        moment("at"),
        required("queue"),
        required("holder"),
        Column("properties", JSON, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("replays", Integer, nullable=False),
        *more,
    ]


# The same bytes, refused by the same holder with the same code, are one row, however often they come.
quarantine = Table(
    "quarantine",
    metadata,
    *_columns(Column("seen", BigInteger, nullable=False), moment("last_seen_at")),
    Column("wire_bytes", LargeBinary),  # last: reading the others need not pass it; NULL beyond the quota
    UniqueConstraint("sha256", "holder", "code"),
    Index(None, "code", "position"),
)

# The signed report that went back to the sender. Beside the bytes, not behind them: a list need not pass them.
quarantine_return = Table(
    "quarantine_return",
    metadata,
    Column("quarantine_id", Text, ForeignKey("quarantine.id", ondelete="CASCADE"), primary_key=True),
    moment("returned_at"),
    required("receipt_id"),
)

# What the quota of the quarantine is held against; adding up a million rows for each refusal would take too long.
quarantine_total = Table(
    "quarantine_total",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kept_bytes", BigInteger, nullable=False),
    Column("without_bytes", BigInteger, nullable=False),
)

# `arrival_sha256` is of bytes and properties: what was said about a message decides with its bytes, so that a copy with
# wrong properties must not stand in for a good one.
held = Table(
    "held",
    metadata,
    *_columns(Column("arrival_sha256", LargeBinary, nullable=False), moment("tried_at", nullable=True)),
    Column("wire_bytes", LargeBinary, nullable=False),
    UniqueConstraint("arrival_sha256", "holder"),
    Index(None, "code", "size"),
    Index(None, "holder", "position"),
)
