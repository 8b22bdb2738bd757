"""The tables of the people at a node: accounts, sessions, drafts, hand-overs, notices, and what is found by words.

Promises:
1. Whatever an officer typed rests encrypted (`wrapped_key`, `ciphertext`), as bodies do.
2. A session is known by the digest of its token; the token itself is in the browser only.
3. `search_term` holds keyed digests of words, never words; `corridor_count` holds counts, never whose.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    literal_column,
)

from bridge.adapters.store.table_parts import arrival, metadata, moment, required


def _sealed() -> tuple[Column[bytes], Column[bytes]]:
    return Column("wrapped_key", LargeBinary), Column("ciphertext", LargeBinary)


account = Table(
    "account",
    metadata,
    Column("login", Text, primary_key=True),
    required("name"),
    Column("roles", JSON, nullable=False),
    Column("contact_point", Text),  # whose duty; none for who sees no content
    Column("password_hash", Text),  # none: signs in elsewhere
    Column("subject", Text, unique=True),  # issuer and subject of who signs in by OpenID Connect
    Column("language", Text),
    moment("created_at"),
    moment("disabled_at", nullable=True),
    Column("failures", Integer, nullable=False, server_default="0"),  # since the last success
    moment("locked_until", nullable=True),
)

web_session = Table(
    "web_session",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("login", Text, ForeignKey("account.login"), nullable=False),
    moment("began_at"),
    moment("seen_at"),
    moment("ended_at", nullable=True),
    Column("detail", JSON, nullable=False),
    Index(None, "seen_at"),
)

draft = Table(
    "draft",
    metadata,
    Column("id", Text, primary_key=True),
    required("contact_point"),
    required("author"),
    required("kind"),
    required("state"),
    Column("revision", Integer, nullable=False),
    Column("supersedes", Text),
    moment("created_at"),
    moment("changed_at"),
    moment("submitted_at", nullable=True),
    moment("decided_at", nullable=True),
    Column("decided_by", Text),
    Column("is_emergency", Boolean, nullable=False),
    Column("message_id", Text),
    moment("reviewed_at", nullable=True),
    Column("reviewed_by", Text),
    *_sealed(),
    Index(None, "contact_point", "state", "changed_at"),
    Index(None, "message_id"),
)

handover = Table(
    "handover",
    metadata,
    arrival(),
    Column("id", Text, nullable=False, unique=True),
    required("contact_point"),
    required("given_by"),
    Column("given_to", Text),
    moment("given_at"),
    Column("taken_by", Text),
    moment("taken_at", nullable=True),
    Column("items", JSON, nullable=False),  # [[sender, message id], ...]
    *_sealed(),
    Index(None, "contact_point", "position"),
)

notice = Table(
    "notice",
    metadata,
    arrival(),
    Column("id", Text, nullable=False, unique=True),
    required("contact_point"),
    required("channel"),
    required("occasion"),
    required("subject"),
    moment("created_at"),
    Column("attempts", Integer, nullable=False),
    moment("next_attempt_at", nullable=True),
    moment("sent_at", nullable=True),
    moment("given_up_at", nullable=True),
    Column("last_error", Text),
)
unsent_notice: Final[ColumnElement[bool]] = literal_column("sent_at IS NULL AND given_up_at IS NULL")
Index("ix_notice_due", notice.c.next_attempt_at, sqlite_where=unsent_notice, postgresql_where=unsent_notice)

search_term = Table(
    "search_term",
    metadata,
    Column("term", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, primary_key=True),  # the table of what it was found in: inbox or message
    Column("position", BigInteger, primary_key=True, autoincrement=False),  # its place there
    Index(None, "source", "position"),
    sqlite_with_rowid=False,
)

corridor_count = Table(
    "corridor_count",
    metadata,
    Column("contact_point", Text, primary_key=True),
    Column("quarter", Text, primary_key=True),  # 2026Q4
    Column("origin", Text, primary_key=True),
    Column("destination", Text, primary_key=True),
    Column("form", Text, primary_key=True),  # of exploitation; * for whatever form
    Column("count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# How far something that walks over inbox or ledger has come.
progress = Table(
    "progress",
    metadata,
    Column("name", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

audit_seal = Table(
    "audit_seal",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),  # the last row of the audit log under it
    Column("count", Integer, nullable=False),
    moment("sealed_at"),
    Column("mac", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
