"""Whether the membership list stops a recipient, and the code that its sender is shown."""

from __future__ import annotations

from typing import Final

from bridge.core.directory import Directory

SUSPENDED: Final = "E_RECIPIENT_SUSPENDED"
GONE: Final = "E_RECIPIENT_GONE"


def stop_code(directory: Directory, contact_point: str) -> str | None:
    """Why nothing goes to a contact point; `None` where the list does not stop it."""
    point = directory.contact_points.get(contact_point)
    if point is None:
        return GONE
    return None if point.suspended is None else SUSPENDED
