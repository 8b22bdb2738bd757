"""The proof that nothing is missing: numbers asked for again, sent again or void; heartbeats; silent peers."""
