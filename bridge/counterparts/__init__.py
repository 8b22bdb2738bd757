"""Contact points that keep to a script, good or bad, over AMQP and without a database: for sandboxes and tests."""
