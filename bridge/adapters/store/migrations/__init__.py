"""The history of the schema, run by `bridge.adapters.store.schema`."""
