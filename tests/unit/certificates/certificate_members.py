"""A small membership list with broker accounts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType

from bridge.core.directory import ContactPoint, Directory, Remit

AT = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def point(identifier: str, **changes: object) -> ContactPoint:
    prefix, _, name = identifier.partition(".")
    accounts = {"relay": f"{prefix}-relay", "router": f"{prefix}-router", "inbox": f"{prefix}-inbox-{name}"}
    found = ContactPoint(
        id=identifier,
        name=identifier,
        country=prefix.upper(),
        mode="live",
        remit=Remit(),
        sends=frozenset(),
        receives=frozenset(),
        statuses=frozenset(),
        signature_policy=("ES256",),
        accounts=accounts,
    )
    return replace(found, **changes)


def directory(*points: ContactPoint) -> Directory:
    members = MappingProxyType({one.id: one for one in points})
    return Directory("see", 1, AT, members, MappingProxyType({}), MappingProxyType({}))


MEMBERS = directory(point("rs.ncp"), point("rs.border-police"), point("at.ncp"))
