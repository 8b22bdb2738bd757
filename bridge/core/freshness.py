"""How far a membership list may be trusted for its age (wire-format: Keys and the trust list).

| last confirmed | what it means |
|---|---|
| up to 48 h ago | normal |
| up to 7 days | an alarm; everything works |
| up to 45 days | received, and marked "membership last checked ..."; sending person-level kinds takes a second person |
| longer | held: nothing that arrives is judged, nothing new is sealed |

What was sealed before is sent all the same: whoever receives it judges by a list of his own.

No person-level kind is here yet. The rule of the second person belongs to what is asked before sealing
(`bridge.app.sending.may_send`), beside the age of the list, which it is a grade of.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from bridge.core.directory import LIST_ALARM_AGE, LIST_SECOND_PERSON_AGE, Directory


class Freshness(Enum):
    """The four grades."""

    NORMAL = "normal"
    ALARM = "alarm"
    MARKED = "marked"
    HELD = "held"


def freshness_of(directory: Directory, now: datetime) -> Freshness:
    """The grade of a list at a moment."""
    age = now - directory.signed_at
    if now >= directory.expires:
        return Freshness.HELD
    if age >= LIST_SECOND_PERSON_AGE:
        return Freshness.MARKED
    return Freshness.ALARM if age >= LIST_ALARM_AGE else Freshness.NORMAL
