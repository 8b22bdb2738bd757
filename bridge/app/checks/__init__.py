"""What `status`, `doctor` and `/readyz` say of a node, as named states."""
