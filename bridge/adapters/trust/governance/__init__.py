"""The other side: who signs, what a change is, what it would do, and publishing it."""
