"""Spans of time for an operator's eye: `40 s`, `12 min`, `5 h`, `9 days`."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

_UNITS: Final = (("days", 86_400, 2), ("h", 3600, 2), ("min", 60, 2))


def span_in_words(span: timedelta) -> str:
    """The span in the largest unit of which it has at least two; a negative one, from a clock set back, as `0 s`."""
    seconds = max(0.0, span.total_seconds())
    for unit, length, least in _UNITS:
        if seconds >= least * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"
