"""What stands before every page: session, same origin, limits, headers."""
