"""What a contact point is responsible for within its country, held against the corridor of an alert.

A remit narrows: every field that is set must be met. What the alert leaves out is not guessed: a desk for one border
crossing is not asked where no crossing is named; the national desk, which always receives, knows its own people.
"""

from __future__ import annotations

from typing import Final

from bridge.core.directory import ContactPoint
from bridge.core.routing.corridor import Corridor, crossing_keys

EVERY_ALERT: Final = "every alert"


def uncovered(point: ContactPoint, corridor: Corridor, *, kind: str) -> str | None:
    """Why the contact point's remit does not cover the alert, as what is said of it; `None` where it does."""
    remit = point.remit
    if remit.national_desk:
        return None
    if remit.kinds is not None and kind not in remit.kinds:
        return f"is not responsible for {kind}"
    if remit.exploitation is not None and not remit.exploitation & corridor.exploitation:
        return f"is not responsible for {_listed(corridor.exploitation)} exploitation"
    if remit.children_only and not corridor.child_involved:
        return "is responsible for children only, and none is involved"
    if remit.crossings is not None and not _crossings_met(point, corridor):
        return "is responsible for border crossings that the alert does not name"
    return None


def covered_part(point: ContactPoint, corridor: Corridor) -> str:
    """What of the alert the remit of a contact point covers, in words; call it where `uncovered` is `None`."""
    remit, parts = point.remit, []
    if remit.exploitation is not None:
        parts.append(f"{_listed(remit.exploitation & corridor.exploitation)} exploitation")
    if remit.children_only:
        parts.append("children")
    if remit.crossings is not None:
        parts.append(f"the crossing {_listed(_crossings_met(point, corridor))}")
    return " and ".join(parts) or EVERY_ALERT


def _crossings_met(point: ContactPoint, corridor: Corridor) -> frozenset[str]:
    named = corridor.crossings.get(point.country or "", frozenset())
    return frozenset(name for name in point.remit.crossings or () if crossing_keys(name) & named)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))
