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
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
)

from bridge.adapters.store.desk_tables import (
    account,
    audit_seal,
    corridor_count,
    draft,
    handover,
    notice,
    progress,
    search_term,
    web_session,
)
from bridge.adapters.store.refusal_tables import held, quarantine, quarantine_return, quarantine_total
from bridge.adapters.store.system_tables import api_token, submission
from bridge.adapters.store.table_parts import arrival, metadata, moment, required
from bridge.adapters.store.webhook_tables import recipient_news, webhook, webhook_delivery

__all__ = [
    "SCHEMA_REVISION",
    "account",
    "api_token",
    "asked_again",
    "audit",
    "audit_seal",
    "body",
    "corridor_count",
    "draft",
    "handover",
    "held",
    "inbox",
    "message",
    "metadata",
    "node_state",
    "notice",
    "outbox",
    "peer",
    "progress",
    "quarantine",
    "quarantine_return",
    "quarantine_total",
    "receipt",
    "recipient",
    "recipient_news",
    "replay",
    "search_term",
    "sequence_counter",
    "sequence_gap",
    "sequence_number",
    "sequence_stream",
    "submission",
    "undelivered",
    "unsent",
    "web_session",
    "webhook",
    "webhook_delivery",
    "wire",
]

SCHEMA_REVISION: Final = "0003"  # the newest migration; a test holds that it is


def _wire() -> Column[bytes]:
    return Column("wire_sha256", LargeBinary, ForeignKey("wire.sha256"), nullable=False)


node_state = Table(
    "node_state",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", BigInteger, nullable=False),
    moment("restored_at", nullable=True),  # when the epoch began, unless it is the first
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
    arrival(),
    Column("id", Text, nullable=False, unique=True),
    required("sender"),
    required("kind"),
    required("status"),
    required("urgency"),
    required("lane"),
    required("thread"),
    moment("sent"),
    moment("expires"),
    required("payload_sha256"),
    required("sealed_sha256"),
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
    required("prefix"),  # which publish carries it
    required("country"),
    Column("roles", JSON, nullable=False),
    required("rule"),
    required("reason"),
    required("state"),
    moment("sent_at", nullable=True),
    moment("delivered_at", nullable=True),
    moment("acknowledged_at", nullable=True),
    Column("level", Text),
    Column("code", Text),
    Column("epoch", BigInteger),  # with the number: by which the recipient asks for it again
    Column("number", BigInteger),
    Column("reply_within_s", Integer),  # within which a person is to answer, from delivery on
    moment("reminded_at", nullable=True),
    moment("alarmed_at", nullable=True),
    Index(None, "recipient", "epoch", "number"),
)

# Written out, not bound: SQLite takes a partial index only where it sees the same condition.
undelivered = recipient.c.state != literal_column("'delivered'")
# Few at any time: whoever asks what has not arrived reads these, not everything that was ever sent.
# What a program of revision 0001 wrote beside newer ones: its numbers are filled in at the next start.
unnumbered = recipient.c.number.is_(None)
Index("ix_recipient_unnumbered", recipient.c.message_id, sqlite_where=unnumbered, postgresql_where=unnumbered)
Index("ix_recipient_undelivered", recipient.c.message_id, sqlite_where=undelivered, postgresql_where=undelivered)

receipt = Table(
    "receipt",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("state", Text, primary_key=True),  # the first receipt of each state is kept, repetitions are not
    required("receipt_id"),
    Column("code", Text),
    required("payload_sha256"),
    moment("received_at"),
    _wire(),
    ForeignKeyConstraint(["message_id", "recipient"], ["recipient.message_id", "recipient.recipient"]),
)

# Whose answer is awaited.
awaited = and_(
    recipient.c.reply_within_s.is_not(None),
    recipient.c.delivered_at.is_not(None),
    recipient.c.acknowledged_at.is_(None),
)
Index("ix_recipient_awaited", recipient.c.delivered_at, sqlite_where=awaited, postgresql_where=awaited)

outbox = Table(
    "outbox",
    metadata,
    arrival(),
    Column("id", Text, nullable=False, unique=True),
    required("relay"),
    required("exchange"),
    required("routing_key"),
    required("country"),
    required("lane"),
    required("kind"),
    required("sender"),
    required("message_id"),
    moment("sent"),
    moment("expires"),
    _wire(),
    moment("created_at"),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    moment("next_attempt_at", nullable=True),
    Column("lease_token", Text),
    moment("lease_until", nullable=True),
    moment("sent_at", nullable=True),
    # Of what is no evidence and is forgotten once settled: heartbeats. Then wire_sha256 is that of nothing.
    Column("own_bytes", LargeBinary),
)
unsent = outbox.c.sent_at.is_(None)
# What is due is found by its time, per lane; rows that wait for their next attempt, a whole country's in an outage, are
# not touched. No time means: due at once, in the order of arrival. A lease stands in next_attempt_at, too.
Index(
    "ix_outbox_due",
    outbox.c.relay,
    outbox.c.lane,
    outbox.c.next_attempt_at,
    outbox.c.position,
    sqlite_where=unsent,
    postgresql_where=unsent,
)
# What is forgotten again is found by its age, not by walking over what stays.
Index(
    "ix_outbox_forgotten",
    outbox.c.created_at,
    sqlite_where=outbox.c.own_bytes.is_not(None),
    postgresql_where=outbox.c.own_bytes.is_not(None),
)

inbox = Table(
    "inbox",
    metadata,
    arrival(),
    required("contact_point"),
    required("id"),
    required("sender"),
    required("kind"),
    required("schema"),
    required("status"),
    required("urgency"),
    required("lane"),
    required("thread"),
    moment("sent"),
    moment("expires"),
    moment("received_at"),
    moment("acknowledge_by", nullable=True),
    required("state"),
    required("payload_sha256"),
    required("sealed_sha256"),
    _wire(),
    Column("supersedes", Text),
    Column("supersedes_from", Text),
    Column("of", Text),
    Column("of_from", Text),
    Column("taken_by", Text),  # the officer who works on it
    moment("taken_at", nullable=True),
    Column("closed_by", Text),
    moment("closed_at", nullable=True),
    moment("reminded_at", nullable=True),  # that its acknowledgement is due
    moment("alarmed_at", nullable=True),  # that it is overdue
    UniqueConstraint("id", "contact_point", "sender"),  # ids are unique per sender only
    Index(None, "contact_point", "position"),
    Index(None, "contact_point", "state", "position"),
    Index(None, "contact_point", "thread", "position"),
)

# What waits for an officer is found by its deadline, what somebody works on by its place, whatever lies in the archive.
# Written out, not bound: SQLite takes a partial index only where it sees the same condition. What is in work is said by
# the states that it is not in: for `state = 'acknowledged'` SQLite would rather walk over everything ever acknowledged.
unanswered: Final[ColumnElement[bool]] = literal_column("acknowledge_by IS NOT NULL AND state IN ('new', 'read')")
in_work: Final[ColumnElement[bool]] = literal_column(
    "acknowledge_by IS NOT NULL AND state NOT IN ('new', 'read', 'expired') AND closed_at IS NULL"
)
Index(
    "ix_inbox_unanswered",
    inbox.c.contact_point,
    inbox.c.acknowledge_by,
    sqlite_where=unanswered,
    postgresql_where=unanswered,
)
Index("ix_inbox_in_work", inbox.c.contact_point, inbox.c.position, sqlite_where=in_work, postgresql_where=in_work)
_superseding = inbox.c.supersedes.is_not(None)
Index(
    "ix_inbox_supersedes",
    inbox.c.contact_point,
    inbox.c.supersedes,
    sqlite_where=_superseding,
    postgresql_where=_superseding,
)

replay = Table(
    "replay",
    metadata,
    Column("contact_point", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("sender", Text, primary_key=True),
    required("payload_sha256"),
    required("outcome"),
    moment("answered_at"),
    moment("conflict_answered_at", nullable=True),  # when another payload under this id was last answered
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
    Column("first_number", BigInteger),
    sqlite_with_rowid=False,
)

sequence_stream = Table(
    "sequence_stream",
    metadata,
    arrival("id"),
    required("recipient"),
    required("sender"),
    Column("epoch", BigInteger, nullable=False),
    required("lane"),
    Column("lowest", BigInteger, nullable=False),
    Column("highest", BigInteger, nullable=False),
    UniqueConstraint("recipient", "sender", "epoch", "lane"),
)

sequence_number = Table(
    "sequence_number",
    metadata,
    Column("stream_id", BigInteger, ForeignKey("sequence_stream.id"), primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    required("message_id"),
    sqlite_with_rowid=False,
)

sequence_gap = Table(
    "sequence_gap",
    metadata,
    Column("stream_id", BigInteger, ForeignKey("sequence_stream.id"), primary_key=True, autoincrement=False),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False),
    moment("missed_at"),
    Column("asked", Integer, nullable=False, server_default="0"),  # how often the sender was asked for them
    moment("asked_at", nullable=True),
    sqlite_with_rowid=False,
)

# What a contact point of ours knows of another one, in either direction.
peer = Table(
    "peer",
    metadata,
    Column("contact_point", Text, primary_key=True),
    Column("peer", Text, primary_key=True),
    moment("heard_at", nullable=True),  # the last verified message of any kind; until one came, our first heartbeat
    moment("heartbeat_at", nullable=True),  # our last heartbeat to it
    moment("first_heard_at", nullable=True),  # whether it was ever heard at all
    sqlite_with_rowid=False,
)

# The numbers that a recipient missed and asked us for, and what we answered: the message again, or a code.
asked_again = Table(
    "asked_again",
    metadata,
    Column("sender", Text, primary_key=True),
    Column("recipient", Text, primary_key=True),
    Column("epoch", BigInteger, primary_key=True, autoincrement=False),
    Column("lane", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", Text),
    Column("code", Text),
    Column("times", Integer, nullable=False),
    moment("asked_at"),
    moment("answered_at", nullable=True),
    moment("settled_at", nullable=True),  # a receipt came; the row stays a while, it says when it was answered last
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    arrival(),
    moment("at"),
    required("actor"),
    required("action"),
    Column("contact_point", Text),
    Column("subject", Text),
    Column("detail", JSON, nullable=False),
    Index(None, "subject", "position"),
)
