"""The signed documents and metadata of a membership list, and the one way in which they are verified."""
