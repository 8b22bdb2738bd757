"""The tables of the systems that use a node over HTTP.

Promises:
1. A token is known by its digest; the token itself is at its system only.
2. A submission is in the same transaction as the message that it made.
"""

from __future__ import annotations

from sqlalchemy import JSON, Column, Index, LargeBinary, Table, Text

from bridge.adapters.store.table_parts import metadata, moment, required

api_token = Table(
    "api_token",
    metadata,
    Column("name", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    required("contact_point"),
    Column("scopes", JSON, nullable=False),
    required("made_by"),
    moment("made_at"),
    moment("expires_at", nullable=True),
    moment("revoked_at", nullable=True),
    moment("used_at", nullable=True),
)

submission = Table(
    "submission",
    metadata,
    Column("token", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("request_sha256", LargeBinary, nullable=False),
    required("message_id"),
    required("answer"),
    moment("at"),
    Index(None, "at"),
    sqlite_with_rowid=False,
)
