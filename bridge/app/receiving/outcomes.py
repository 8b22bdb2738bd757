"""What became of one delivery. One place, the services' runner, turns an outcome into a settlement with the broker."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """The verdict on a delivery; all of them mean that it is safe in a database or in the next queue."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    HELD = "held"
    QUARANTINED = "quarantined"
