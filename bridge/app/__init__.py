"""The use cases, one a file: they sequence, the core decides, the adapters do."""
