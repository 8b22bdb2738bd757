"""A node's side: finds the newest list, verifies it, keeps it, and remembers what it must never forget."""
