"""RFC 3339 times in UTC, to the millisecond, as every message and every `--json` prints them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
_TIME = re.compile(TIME_PATTERN.removesuffix("$") + r"\Z")


def format_time(moment: datetime) -> str:
    """`2026-11-23T18:40:01.234Z` for an aware datetime."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_time(text: str) -> datetime:
    """The aware UTC datetime of a canonical time; `ValueError` for anything else."""
    if _TIME.match(text) is None:
        message = "expected a UTC time like 2026-11-23T18:40:01.234Z"
        raise ValueError(message)
    return datetime.fromisoformat(text)


def to_milliseconds(moment: datetime) -> datetime:
    """The same moment cut to whole milliseconds, the resolution that travels."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
