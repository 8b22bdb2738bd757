"""RabbitMQ: names and topology, sessions, publishing, consuming."""
