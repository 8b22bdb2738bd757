"""What stands against a contact point receiving a message, whatever its remit and however it was found.

These are the conditions on which the recipient's own bridge would refuse the message (wire-format: Verification, steps
10 and 11) and those without which it cannot be sealed. They hold on every way to a recipient: country, earlier version,
answer. One rule is for the sender's side alone: an actual alert of a live contact point does not go into a test system,
where nobody watches and what it says about people has no place.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bridge.core.directory import ContactPoint, Directory

UNKNOWN: Final = "is not in the membership list"


def find_obstacle(
    identifier: str, directory: Directory, *, kind: str, status: str, sender: str, at: datetime
) -> str | None:
    """Why `identifier` must not or cannot receive, as what is said of it; `None` where nothing stands against it."""
    point = directory.contact_points.get(identifier)
    if point is None:
        return UNKNOWN
    if identifier == sender:
        return "is the sender itself"
    if point.suspended is not None:
        return f"is suspended: {point.suspended}"
    if kind not in point.receives:
        return f"does not receive {kind}"
    if directory.seal_key(identifier, at) is None:
        return "has no valid encryption key in the membership list"
    return _mode_obstacle(point, directory.contact_points.get(sender), status)


def _mode_obstacle(point: ContactPoint, author: ContactPoint | None, status: str) -> str | None:
    from_test_system = author is not None and author.mode == "test"
    if point.mode == "live" and (status == "test" or from_test_system):
        return "is live and does not receive test traffic"
    if point.mode == "test" and status == "actual" and not from_test_system:
        return "is a test system and does not receive actual alerts"
    return None
