"""Which code of the Human Trafficking Case Data Standard says the same as one of ours, and where its spelling was seen.

Source: HTCDS by the International Organization for Migration, CC BY 4.0. Names of codes and their nearness, nothing
of its texts; the organisation endorses neither this table nor this program.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from importlib.resources import files
from typing import Final

ATTRIBUTION: Final = (
    "Codes of the Human Trafficking Case Data Standard (HTCDS) by IOM, https://github.com/UNMigration/HTCDS, CC BY 4.0;"
    " their match with ours is our own, not endorsed by IOM, and not verified against the fields spreadsheet of 2.0"
)
COLUMNS: Final = ("list", "field", "ours", "theirs", "match", "seen_in", "note")
MATCHES: Final = ("same", "near", "none")
SEEN_IN: Final = ("definitions", "survey", "draft")
"""The standard's field definitions (2.0), its toolkit's survey form (1.0 or later), its field reference (draft)."""


def rows_of(lists: Sequence[str]) -> list[dict[str, str]]:
    """The rows of these lists, as the file has them: `ours` is empty for a code of theirs that has no match."""
    return [row for row in _rows() if row["list"] in lists]


def mapped_lists() -> tuple[str, ...]:
    """The code lists that there is a table for, in the file's order."""
    return tuple(dict.fromkeys(row["list"] for row in _rows()))


def csv_of(rows: Sequence[dict[str, str]]) -> bytes:
    """UTF-8 with a header row (RFC 4180)."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _rows() -> list[dict[str, str]]:
    text = (files(__package__) / "htcds.csv").read_text("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))
