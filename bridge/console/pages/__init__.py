"""One file a page: what it needs, what it shows, what it does."""
