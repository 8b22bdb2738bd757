"""What a service says about itself: structured logs, one JSON object a line, on stderr."""
