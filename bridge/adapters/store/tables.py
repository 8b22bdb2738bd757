"""The tables, one MetaData. The migrations create them; a test holds that both agree.

Promises:
1. Wire bytes are kept once, under the SHA-256 of the bytes, and never change. What was refused keeps a copy.
2. A body rests in `body` only; putting NULL into its two columns erases it, and the row stays so that it cannot return.
3. `position` is the order of arrival. Nothing is ordered by a clock.
4. Every query of the hot paths finds an index; the outbox's index holds unsent rows only.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.schema import SchemaItem

from bridge.adapters.store.column_types import Position, UtcMicroseconds

SCHEMA_REVISION: Final = "0001"  # the newest migration; a test holds that it is

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _required(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, UtcMicroseconds, nullable=nullable)


def _position() -> Column[int]:
    return Column("position", Position, primary_key=True, autoincrement=True)


def _wire() -> Column[bytes]:
    return Column("wire_sha256", LargeBinary, ForeignKey("wire.sha256"), nullable=False)


node_state = Table(
    "node_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
)

wire = Table(
    "wire",
    metadata,
    Column("sha256", LargeBinary, primary_key=True),
    Column("wire_bytes", LargeBinary, nullable=False),
)

body = Table(
    "body",
    metadata,
    Column("contact_point", Text, primary_key=True),  # whose storage key wraps it
    Column("message_id", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    Column("wrapped_key", LargeBinary),
    Column("ciphertext", LargeBinary),
)

message = Table(
    "message",
    metadata,
    _position(),
    Column("id", Text, nullable=False, unique=True),
    _required("sender"),
    _required("kind"),
    _required("status"),
    _required("urgency"),
    _required("lane"),
    _required("thread"),
    _time("sent"),
    _time("expires"),
    _required("payload_sha256"),
    _required("sealed_sha256"),
    _wire(),
    Column("supersedes", Text),
    Index(None, "sender", "position"),
    Index(None, "thread"),
)

recipient = Table(
    "recipient",
    metadata,
    Column("message_id", Text, ForeignKey("message.id"), primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("rank", Integer, nullable=False),  # the sender's order
    _required("prefix"),  # which publish carries it
    _required("country"),
    Column("roles", JSON, nullable=False),
    _required("rule"),
    _required("reason"),
    _required("state"),
    _time("sent_at", nullable=True),
    _time("delivered_at", nullable=True),
    _time("acknowledged_at", nullable=True),
    Column("level", Text),
    Column("code", Text),
)

receipt = Table(
    "receipt",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("state", Text, primary_key=True),  # the first receipt of each state is kept, repetitions are not
    _required("receipt_id"),
    Column("code", Text),
    _required("payload_sha256"),
    _time("received_at"),
    _wire(),
    ForeignKeyConstraint(["message_id", "recipient"], ["recipient.message_id", "recipient.recipient"]),
)

outbox = Table(
    "outbox",
    metadata,
    _position(),
    Column("id", Text, nullable=False, unique=True),
    _required("relay"),
    _required("exchange"),
    _required("routing_key"),
    _required("country"),
    _required("lane"),
    _required("kind"),
    _required("sender"),
    _required("message_id"),
    _time("sent"),
    _time("expires"),
    _wire(),
    _time("created_at"),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    _time("next_attempt_at", nullable=True),
    Column("lease_token", Text),
    _time("lease_until", nullable=True),
    _time("sent_at", nullable=True),
)
unsent = outbox.c.sent_at.is_(None)
# "urgent" sorts behind "normal": the lane descending is the order of claiming. The two times stand in the index so that
# rows which wait for their next attempt, a whole country's in an outage, are passed over without being read.
Index(
    "ix_outbox_unsent",
    outbox.c.relay,
    outbox.c.lane.desc(),
    outbox.c.position,
    outbox.c.next_attempt_at,
    outbox.c.lease_until,
    sqlite_where=unsent,
    postgresql_where=unsent,
)

inbox = Table(
    "inbox",
    metadata,
    _position(),
    _required("contact_point"),
    _required("id"),
    _required("sender"),
    _required("kind"),
    _required("schema"),
    _required("status"),
    _required("urgency"),
    _required("lane"),
    _required("thread"),
    _time("sent"),
    _time("expires"),
    _time("received_at"),
    _time("acknowledge_by", nullable=True),
    _required("state"),
    _required("payload_sha256"),
    _required("sealed_sha256"),
    _wire(),
    Column("supersedes", Text),
    Column("of", Text),
    UniqueConstraint("id", "contact_point", "sender"),  # ids are unique per sender only
    Index(None, "contact_point", "position"),
    Index(None, "contact_point", "state", "position"),
    Index(None, "contact_point", "thread"),
)

replay = Table(
    "replay",
    metadata,
    Column("contact_point", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    _required("payload_sha256"),
    _required("outcome"),
    _time("answered_at"),
    sqlite_with_rowid=False,
)

sequence_counter = Table(
    "sequence_counter",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("next_number", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

sequence_stream = Table(
    "sequence_stream",
    metadata,
    Column("id", Position, primary_key=True, autoincrement=True),
    _required("recipient"),
    _required("sender"),
    Column("epoch", BigInteger, nullable=False),
    _required("lane"),
    Column("lowest", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    UniqueConstraint("recipient", "sender", "epoch", "lane"),
)

sequence_number = Table(
    "sequence_number",
    metadata,
    Column("stream_id", BigInteger, ForeignKey("sequence_stream.id"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    _required("message_id"),
    sqlite_with_rowid=False,
)

sequence_gap = Table(
    "sequence_gap",
    metadata,
    Column("stream_id", BigInteger, ForeignKey("sequence_stream.id"), primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    _time("missed_at"),
    sqlite_with_rowid=False,
)


def _refusal_columns(*more: SchemaItem) -> list[SchemaItem]:
    return [
        _position(),
        Column("id", Text, nullable=False, unique=True),
        _required("code"),
        Column("step", Integer, nullable=False),
        _required("detail"),
        _time("at"),
        _required("queue"),
        Column("contact_point", Text),
        Column("properties", JSON, nullable=False),
        Column("size", BigInteger, nullable=False),
        Column("replays", Integer, nullable=False),
        *more,
        Column("wire_bytes", LargeBinary, nullable=False),  # last: reading the others need not pass it
    ]


quarantine = Table("quarantine", metadata, *_refusal_columns(), Index(None, "code", "position"))

held = Table("held", metadata, *_refusal_columns(_time("tried_at", nullable=True)), Index(None, "size"))

audit = Table(
    "audit",
    metadata,
    _position(),
    _time("at"),
    _required("actor"),
    _required("action"),
    Column("contact_point", Text),
    Column("subject", Text),
    Column("detail", JSON, nullable=False),
    Index(None, "subject", "position"),
)
