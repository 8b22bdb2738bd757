"""The tables of webhooks.

Promises:
1. What a webhook shares with us rests encrypted (`wrapped_key`, `ciphertext`), as bodies do.
2. A delivery says what the envelope says; no row here holds a word of a message.
3. An event is one row for each webhook, whoever follows and however often.
4. `recipient_news` is a queue: filled in the transaction in which a recipient's state moves, emptied by who follows.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from bridge.adapters.store.table_parts import arrival, metadata, moment, required

webhook = Table(
    "webhook",
    metadata,
    Column("id", Text, primary_key=True),
    required("contact_point"),
    required("url"),
    Column("events", JSON, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    required("made_by"),
    moment("made_at"),
    Column("position", BigInteger, nullable=False),
    moment("failing_since", nullable=True),
    moment("disabled_at", nullable=True),
    Column("reason", Text),
    moment("busy_until", nullable=True),  # somebody posts to it, or it rests after a failure
    Column("lease_token", Text),
    Index(None, "contact_point"),
)

webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    arrival(),
    Column("id", Text, nullable=False, unique=True),
    required("webhook"),
    required("event"),
    required("sender"),
    required("message_id"),
    required("recipient"),
    required("state"),
    Column("code", Text),
    Column("kind", Text),
    Column("status", Text),
    Column("urgency", Text),
    moment("at"),
    moment("made_at"),
    moment("due_at", nullable=True),
    Column("attempts", Integer, nullable=False),
    Column("last_status", Integer),
    Column("last_error", Text),
    moment("last_at", nullable=True),
    moment("answered_at", nullable=True),
    moment("given_up_at", nullable=True),
    UniqueConstraint(
        "webhook", "event", "sender", "message_id", "recipient", "state", name="uq_webhook_delivery_event"
    ),
    Index(None, "webhook", "position"),
    Index(None, "made_at"),
)
is_waiting: Final[ColumnElement[bool]] = literal_column("due_at IS NOT NULL")
Index(
    "ix_webhook_delivery_due",
    webhook_delivery.c.webhook,
    webhook_delivery.c.due_at,
    sqlite_where=is_waiting,
    postgresql_where=is_waiting,
)

recipient_news = Table(
    "recipient_news",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("state", Text, primary_key=True),
    Column("code", Text),
    sqlite_with_rowid=False,
)
