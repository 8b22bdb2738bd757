"""What pages and interfaces over HTTP have in common: the server, and counting how often somebody asks."""
