"""From an alert to signed bytes in the outbox, and from the outbox to the broker."""
