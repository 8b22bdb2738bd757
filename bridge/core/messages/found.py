"""How a fault says what it found: short, on one line, and never a whole free text."""

from __future__ import annotations

import json
from typing import Final

MAX_SHOWN: Final = 60


def describe(value: object) -> str:
    """A parsed JSON value in a few words: short scalars as JSON, long texts cut, lists and objects by their size."""
    if isinstance(value, str):
        shown = json.dumps(value[:MAX_SHOWN], ensure_ascii=False)
        return shown if len(value) <= MAX_SHOWN else f'{shown[:-1]}…" ({len(value)} characters)'
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}" if value else "an empty list"
    if isinstance(value, dict):
        return "an object"
    return json.dumps(value) if value is None or isinstance(value, bool | int) else type(value).__name__
