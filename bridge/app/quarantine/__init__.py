"""What people do with what was refused: verify it again, return it to its sender, drop it."""
