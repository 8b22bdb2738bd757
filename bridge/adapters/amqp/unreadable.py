"""Keeps one malformed message from cutting off everybody behind it.

On the wire, short strings, header tables and timestamps are bytes that no broker checks. The client library gives up
the whole connection where it cannot decode one; the broker then delivers the message again, to the same end. So any
member could stop another country's queue with a single publish. Here such a value is read as what it is, unreadable,
the frame's length stays right, and the message goes the ordinary way: it fails verification and lands in quarantine.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import pamqp.decode
from pamqp.common import FieldTable

# Our publishers send no headers, so headers that cannot be read are treated as the worst that can stand in them.
UNREADABLE_HEADERS: Final = ("CC",)


def tolerate_unreadable_properties() -> None:
    """Makes the client library's decoder tolerant, for this process; calling it again changes nothing."""
    pamqp.decode.METHODS["shortstr"] = _short_string
    pamqp.decode.METHODS["table"] = _header_table
    pamqp.decode.METHODS["timestamp"] = _timestamp


def _short_string(value: bytes) -> tuple[int, str]:
    length = value[0]
    return length + 1, value[1 : length + 1].decode("utf-8", errors="backslashreplace")


def _header_table(value: bytes) -> tuple[int, FieldTable]:
    try:
        return pamqp.decode.field_table(value)
    except Exception:  # noqa: BLE001 - a stranger's bytes: wrong types, bad UTF-8, nesting without end
        return int.from_bytes(value[:4], "big") + 4, dict.fromkeys(UNREADABLE_HEADERS)


def _timestamp(value: bytes) -> tuple[int, dt.datetime | None]:
    try:
        return pamqp.decode.timestamp(value)
    except (ValueError, OverflowError, OSError):  # beyond the year 9999
        return 8, None
