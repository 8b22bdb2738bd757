"""The only wiring: `node` for commands, `running` for services, `offline` for files; each imports what it needs."""
