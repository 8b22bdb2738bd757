"""What the proof of no gap needs: numbers by which a message is found again, peers, and what was asked again.

Also indexes for what is due, for what is forgotten again, and for what has not arrived.

Expand only: every column that is new may be empty, or has a default, and a program of revision 0001 goes on writing.
The numbers of messages that were sent before are read from their own signed payloads.

Revision: 0002
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_MESSAGES_AT_ONCE = 500


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
    _read_numbers()
    op.create_index("ix_recipient_recipient_epoch_number", "recipient", ["recipient", "epoch", "number"])
    op.execute(
        """
        UPDATE sequence_counter SET first_number = coalesce(
            (SELECT min(r.number) FROM recipient r JOIN message m ON m.id = r.message_id
             WHERE m.sender = sequence_counter.sender AND m.lane = sequence_counter.lane
               AND r.recipient = sequence_counter.recipient AND r.epoch = sequence_counter.epoch),
            next_number)
        """
    )


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


def _read_numbers() -> None:
    """Every recipient's epoch and number, from the payload that was signed for it."""
    numbering = sa.text(
        "UPDATE recipient SET epoch = :epoch, number = :number WHERE message_id = :message_id AND recipient = :recipient"
    )
    for messages in _messages():
        numbers = [
            {"epoch": sequence["epoch"], "number": number, "message_id": message_id, "recipient": recipient}
            for message_id, sequence in messages
            for recipient, number in sequence["n"].items()
        ]
        op.get_bind().execute(numbering, numbers)


def _messages() -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Message ids with the `seq` of their payloads, in parts."""
    query = sa.text(
        """
        SELECT m.position, m.id, w.wire_bytes FROM message m JOIN wire w ON w.sha256 = m.wire_sha256
        WHERE m.position > :after ORDER BY m.position LIMIT :most
        """
    )
    after = -1
    while rows := op.get_bind().execute(query, {"after": after, "most": _MESSAGES_AT_ONCE}).all():
        yield [(row.id, _sequence(bytes(row.wire_bytes))) for row in rows]
        after = rows[-1].position


def _sequence(wire_bytes: bytes) -> dict[str, Any]:
    payload = json.loads(wire_bytes)["payload"]
    sequence: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["seq"]
    return sequence
