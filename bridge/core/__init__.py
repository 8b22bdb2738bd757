"""Pure and synchronous: what the bridge knows about messages, routes, trust and verification."""
