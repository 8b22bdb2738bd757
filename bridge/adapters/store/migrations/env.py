"""Run by alembic inside the transaction that `bridge.adapters.store.schema` has begun, on its connection."""

from __future__ import annotations

from alembic import context

from bridge.adapters.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
