"""What quarantine and held have in common: how a refusal becomes a row, and a row a record again.

What is stored here was written by strangers. Text that a database would not take (NUL, lone surrogates) is escaped, so
that no message can be too broken to be kept.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from sqlalchemy import RowMapping

from bridge.ports.store.records import Refusal

ROUTER: Final = ""  # the holder of what no contact point holds


def holder_of(contact_point: str | None) -> str:
    """The holder's column: a contact point, or the router."""
    return ROUTER if contact_point is None else contact_point


def sha256(data: bytes) -> bytes:
    """The 32 bytes of the digest."""
    return hashlib.sha256(data).digest()


def storable(text: str) -> str:
    """The text with what no database takes escaped."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def values_of(refusal: Refusal) -> dict[str, object]:
    """The columns that both tables have; the bytes themselves are left to each."""
    return {
        "id": refusal.id,
        "code": refusal.code,
        "step": refusal.step,
        "detail": storable(refusal.detail),
        "at": refusal.at,
        "queue": storable(refusal.queue),
        "holder": holder_of(refusal.contact_point),
        "properties": {name: value and storable(value) for name, value in refusal.properties.items()},
        "size": refusal.size,
        "sha256": sha256(refusal.wire_bytes),
        "replays": refusal.replays,
    }


def described(row: RowMapping) -> dict[str, Any]:
    """What both tables say of a refusal."""
    names = ("id", "code", "step", "detail", "at", "queue", "properties", "replays")
    return {name: row[name] for name in names} | {"contact_point": row["holder"] or None}
