"""What the proof of no gap needs: numbers by which a message is found again, peers, and what was asked again.

Also indexes for what is due, for what is forgotten again, and for what has not arrived.

Expand only: every column that is new may be empty, or has a default, and a program of revision 0001 goes on writing.
The numbers of messages that were sent before are read from their own signed payloads.

Revision: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from bridge.adapters.store.signed_numbers import fill_in_first_numbers, fill_in_numbers

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("recipient", sa.Column("epoch", sa.BigInteger()))
    op.add_column("recipient", sa.Column("number", sa.BigInteger()))
    op.add_column("sequence_counter", sa.Column("first_number", sa.BigInteger()))
    op.add_column("sequence_gap", sa.Column("asked", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sequence_gap", sa.Column("asked_at", sa.BigInteger()))
    op.add_column("outbox", sa.Column("own_bytes", sa.LargeBinary()))
    op.add_column("node_state", sa.Column("restored_at", sa.BigInteger()))
    op.create_table(
        "peer",
        sa.Column("contact_point", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("heard_at", sa.BigInteger()),
        sa.Column("heartbeat_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("contact_point", "peer", name="pk_peer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "asked_again",
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.Text()),
        sa.Column("code", sa.Text()),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("settled_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("sender", "recipient", "epoch", "lane", "number", name="pk_asked_again"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine_return",
        sa.Column("quarantine_id", sa.Text(), nullable=False),
        sa.Column("returned_at", sa.BigInteger(), nullable=False),
        sa.Column("receipt_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["quarantine_id"], ["quarantine.id"], name="fk_quarantine_return_quarantine_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("quarantine_id", name="pk_quarantine_return"),
    )
    _create_indexes()
    fill_in_numbers(op.get_bind())
    unnumbered = sa.text("number IS NULL")
    op.create_index(
        "ix_recipient_unnumbered", "recipient", ["message_id"], sqlite_where=unnumbered, postgresql_where=unnumbered
    )
    op.create_index("ix_recipient_recipient_epoch_number", "recipient", ["recipient", "epoch", "number"])
    fill_in_first_numbers(op.get_bind())


def _create_indexes() -> None:
    unsent, forgotten = sa.text("sent_at IS NULL"), sa.text("own_bytes IS NOT NULL")
    undelivered = sa.text("state != 'delivered'")
    # Dropping an index takes nothing from a program of revision 0001 but speed.
    op.drop_index("ix_outbox_unsent", "outbox")
    due = ["relay", "lane", "next_attempt_at", "position"]
    op.create_index("ix_outbox_due", "outbox", due, sqlite_where=unsent, postgresql_where=unsent)
    op.create_index("ix_outbox_forgotten", "outbox", ["created_at"], sqlite_where=forgotten, postgresql_where=forgotten)
    op.create_index(
        "ix_recipient_undelivered", "recipient", ["message_id"], sqlite_where=undelivered, postgresql_where=undelivered
    )
