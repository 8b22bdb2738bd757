"""The audit log as evidence: chained, and checked."""
