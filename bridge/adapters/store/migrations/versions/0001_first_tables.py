"""The first tables, and the views for counting with SQL.

Revision: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import SchemaItem

revision = "0001"
down_revision = None

# Times are microseconds since 1970; people read RFC 3339, cut to milliseconds (the first division is of integers).
_READABLE = {
    "sqlite": "strftime('%Y-%m-%dT%H:%M:%fZ', {0} / 1000 / 1000.0, 'unixepoch')",
    "postgresql": "to_char(to_timestamp({0} / 1000 / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24\\:MI\\:SS.MS\"Z\"')",
}


def upgrade() -> None:
    _create_tables()
    op.execute("INSERT INTO node_state (id, epoch) VALUES (1, 1)")
    _create_views()


def _row_number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False)


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def _optional_texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text()) for name in names]


def _refusal_columns() -> list[SchemaItem]:
    return [
        _row_number("position"),
        *_texts("id", "code"),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *_texts("queue", "holder"),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("replays", sa.Integer(), nullable=False),
    ]


def _create_views() -> None:
    def readable(column: str) -> str:
        return _READABLE[op.get_bind().dialect.name].format(column) + f" AS {column.rpartition('.')[2]}"

    # Of everything we sent, who was to receive it and what we know of it.
    op.execute(
        f"""
        CREATE VIEW v_recipients AS
        SELECT r.message_id, m.kind, m.sender, r.recipient, r.country, r.state, r.code, r.level, r.rule,
               {readable("r.sent_at")}, {readable("r.delivered_at")}, {readable("r.acknowledged_at")}
        FROM recipient r JOIN message m ON m.id = r.message_id
        """
    )
    # What the contact points of this node received.
    op.execute(
        f"""
        CREATE VIEW v_inbox AS
        SELECT contact_point, id AS message_id, kind, sender, {readable("received_at")}, state
        FROM inbox
        """
    )
    # The receipts that came back to us and verified; the first of each state, repetitions are not kept.
    op.execute(
        f"""
        CREATE VIEW v_receipts AS
        SELECT r.message_id, m.kind, m.sender, r.recipient, r.state, r.code, {readable("r.received_at")}
        FROM receipt r JOIN message m ON m.id = r.message_id
        """
    )


def _create_tables() -> None:
    op.create_table(
        "audit",
        _row_number("position"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *_texts("actor", "action"),
        sa.Column("contact_point", sa.Text()),
        sa.Column("subject", sa.Text()),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_audit"),
    )
    op.create_index("ix_audit_subject_position", "audit", ["subject", "position"])
    op.create_table(
        "body",
        *_texts("contact_point", "message_id", "sender"),
        sa.Column("wrapped_key", sa.LargeBinary()),
        sa.Column("ciphertext", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("contact_point", "message_id", "sender", name="pk_body"),
    )
    op.create_table(
        "held",
        *_refusal_columns(),
        sa.Column("arrival_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("tried_at", sa.BigInteger()),
        sa.Column("wire_bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("position", name="pk_held"),
        sa.UniqueConstraint("id", name="uq_held_id"),
        sa.UniqueConstraint("arrival_sha256", "holder", name="uq_held_arrival_sha256_holder"),
    )
    op.create_index("ix_held_code_size", "held", ["code", "size"])
    op.create_index("ix_held_holder_position", "held", ["holder", "position"])
    op.create_table(
        "node_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_node_state"),
    )
    op.create_table(
        "quarantine",
        *_refusal_columns(),
        sa.Column("seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("wire_bytes", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("position", name="pk_quarantine"),
        sa.UniqueConstraint("id", name="uq_quarantine_id"),
        sa.UniqueConstraint("sha256", "holder", "code", name="uq_quarantine_sha256_holder_code"),
    )
    op.create_index("ix_quarantine_code_position", "quarantine", ["code", "position"])
    op.create_table(
        "quarantine_total",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kept_bytes", sa.BigInteger(), nullable=False),
        sa.Column("without_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_quarantine_total"),
    )
    op.create_table(
        "replay",
        *_texts("contact_point", "message_id", "sender", "payload_sha256", "outcome"),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.Column("conflict_answered_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("contact_point", "message_id", "sender", name="pk_replay"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sequence_counter",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        *_texts("lane", "recipient"),
        sa.Column("next_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sender", "epoch", "lane", "recipient", name="pk_sequence_counter"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sequence_stream",
        _row_number("id"),
        *_texts("recipient", "sender"),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("lowest", sa.BigInteger(), nullable=False),
        sa.Column("highest", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sequence_stream"),
        sa.UniqueConstraint(
            "recipient", "sender", "epoch", "lane", name="uq_sequence_stream_recipient_sender_epoch_lane"
        ),
    )
    op.create_table(
        "wire",
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("wire_bytes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_wire"),
    )
    op.create_table(
        "inbox",
        _row_number("position"),
        *_texts("contact_point", "id", "sender", "kind", "schema", "status", "urgency", "lane", "thread"),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("acknowledge_by", sa.BigInteger()),
        *_texts("state", "payload_sha256", "sealed_sha256"),
        sa.Column("wire_sha256", sa.LargeBinary(), nullable=False),
        *_optional_texts("supersedes", "supersedes_from", "of", "of_from"),
        sa.ForeignKeyConstraint(["wire_sha256"], ["wire.sha256"], name="fk_inbox_wire_sha256"),
        sa.PrimaryKeyConstraint("position", name="pk_inbox"),
        sa.UniqueConstraint("id", "contact_point", "sender", name="uq_inbox_id_contact_point_sender"),
    )
    op.create_index("ix_inbox_contact_point_position", "inbox", ["contact_point", "position"])
    op.create_index("ix_inbox_contact_point_state_position", "inbox", ["contact_point", "state", "position"])
    op.create_table(
        "message",
        _row_number("position"),
        *_texts("id", "sender", "kind", "status", "urgency", "lane", "thread"),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        *_texts("payload_sha256", "sealed_sha256"),
        sa.Column("wire_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("supersedes", sa.Text()),
        sa.ForeignKeyConstraint(["wire_sha256"], ["wire.sha256"], name="fk_message_wire_sha256"),
        sa.PrimaryKeyConstraint("position", name="pk_message"),
        sa.UniqueConstraint("id", name="uq_message_id"),
    )
    op.create_index("ix_message_sender_position", "message", ["sender", "position"])
    op.create_index("ix_message_thread", "message", ["thread"])
    op.create_table(
        "outbox",
        _row_number("position"),
        *_texts("id", "relay", "exchange", "routing_key", "country", "lane", "kind", "sender", "message_id"),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("wire_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("next_attempt_at", sa.BigInteger()),
        sa.Column("lease_token", sa.Text()),
        sa.Column("lease_until", sa.BigInteger()),
        sa.Column("sent_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["wire_sha256"], ["wire.sha256"], name="fk_outbox_wire_sha256"),
        sa.PrimaryKeyConstraint("position", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"),
    )
    op.create_index(
        "ix_outbox_unsent",
        "outbox",
        ["relay", sa.literal_column("lane DESC"), "position", "next_attempt_at", "lease_until"],
        unique=False,
        sqlite_where=sa.text("sent_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL"),
    )
    op.create_table(
        "sequence_gap",
        sa.Column("stream_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("first", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("missed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["sequence_stream.id"], name="fk_sequence_gap_stream_id"),
        sa.PrimaryKeyConstraint("stream_id", "first", name="pk_sequence_gap"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sequence_number",
        sa.Column("stream_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["stream_id"], ["sequence_stream.id"], name="fk_sequence_number_stream_id"),
        sa.PrimaryKeyConstraint("stream_id", "number", name="pk_sequence_number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recipient",
        *_texts("message_id", "recipient"),
        sa.Column("rank", sa.Integer(), nullable=False),
        *_texts("prefix", "country"),
        sa.Column("roles", sa.JSON(), nullable=False),
        *_texts("rule", "reason", "state"),
        sa.Column("sent_at", sa.BigInteger()),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.Column("acknowledged_at", sa.BigInteger()),
        sa.Column("level", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.ForeignKeyConstraint(["message_id"], ["message.id"], name="fk_recipient_message_id"),
        sa.PrimaryKeyConstraint("message_id", "recipient", name="pk_recipient"),
    )
    op.create_table(
        "receipt",
        *_texts("message_id", "recipient", "state", "receipt_id"),
        sa.Column("code", sa.Text()),
        sa.Column("payload_sha256", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("wire_sha256", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id", "recipient"],
            ["recipient.message_id", "recipient.recipient"],
            name="fk_receipt_message_id_recipient",
        ),
        sa.ForeignKeyConstraint(["wire_sha256"], ["wire.sha256"], name="fk_receipt_wire_sha256"),
        sa.PrimaryKeyConstraint("message_id", "recipient", "state", name="pk_receipt"),
    )
