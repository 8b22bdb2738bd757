"""The store on SQLite or PostgreSQL; `bridge.adapters.store.schema.migrate` creates and upgrades it."""

from bridge.adapters.store.unit_of_work import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
