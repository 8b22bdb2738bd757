"""What national systems do at a node over HTTP."""
