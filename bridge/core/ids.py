"""Identifiers that cross borders: contact points, key ids, message ids (wire-format: Payload, Keys).

A contact point is `<prefix>.<name>`; the prefix is the lower-case country, or `eu`, `un`, `xo` for organisations.
A key id is `<contact point>#<name>`. A message id is a UUIDv7, whose first 48 bits are Unix milliseconds (RFC 9562).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

PREFIX_PATTERN = "[a-z]{2}"
CONTACT_POINT_PATTERN = r"^[a-z]{2}\.[a-z0-9-]{1,32}$"
KID_PATTERN = r"^[a-z]{2}\.[a-z0-9-]{1,32}#[a-z0-9-]{1,32}$"
MESSAGE_ID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
ORGANISATION_PREFIXES = frozenset({"eu", "un", "xo"})

# How our own keys are named; a peer's may have any names.
SIGNING_NAME = "sig-"
OPENING_NAME = "enc-"

_CONTACT_POINT = re.compile(CONTACT_POINT_PATTERN.removesuffix("$") + r"\Z")
_KID = re.compile(KID_PATTERN.removesuffix("$") + r"\Z")


def is_contact_point(text: str) -> bool:
    """Whether `text` is a well-formed contact point id."""
    return _CONTACT_POINT.match(text) is not None


def is_kid(text: str) -> bool:
    """Whether `text` is a well-formed key id."""
    return _KID.match(text) is not None


def prefix_of(contact_point: str) -> str:
    """The lower-case country or organisation prefix: `rs` of `rs.ncp`."""
    return contact_point.partition(".")[0]


def owner_of(kid: str) -> str:
    """The contact point that a key id names: what stands before `#`."""
    return kid.partition("#")[0]


def is_for_signing(kid: str) -> bool:
    """Whether a private key of ours signs, and never opens anything."""
    return name_of(kid).startswith(SIGNING_NAME)


def is_for_opening(kid: str) -> bool:
    """Whether a private key of ours opens, and never signs anything."""
    return name_of(kid).startswith(OPENING_NAME)


def name_of(kid: str) -> str:
    """A key's name beside its owner's other keys: what stands behind `#`."""
    return kid.partition("#")[2]


def first_id_of(at: datetime) -> str:
    """The smallest UUIDv7 that may be made at a time: ids compare as their times do."""
    milliseconds = f"{int(at.timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-000000000000"


def time_of(message_id: str) -> datetime:
    """The UTC time inside a UUIDv7, to the millisecond."""
    milliseconds = int(message_id.replace("-", "")[:12], 16)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
