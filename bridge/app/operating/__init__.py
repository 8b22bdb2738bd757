"""What an operator does, who sees no content."""
