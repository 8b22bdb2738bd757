"""Who signs what in a network's trust repository.

| role | signs | keys |
|---|---|---|
| `root` | which keys the roles have, how many must sign | governance, offline |
| `targets` | members, contact points, what each may do, who speaks for which member | governance, offline |
| `member-<prefix>` | the keys of one member's contact points (`keys/<prefix>.json`) | the member's own |
| `revocations` | which keys and members count no more; it can add nothing | revocation, at hand day and night |
| `snapshot`, `timestamp` | which versions are the newest, and that they still are | the secretariat's, online |
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from tuf.api.metadata import DelegatedRole

from bridge.core.ids import PREFIX_PATTERN

ROOT: Final = "root"
TARGETS: Final = "targets"
SNAPSHOT: Final = "snapshot"
TIMESTAMP: Final = "timestamp"
REVOCATIONS: Final = "revocations"
MEMBER: Final = "member-"

# wire-format: Keys and the trust list. The timestamp alone decides how fresh the list is; the others outlive it amply.
# What nobody may have to sign for years, because nothing changes, holds for years: neglect must not stop the network.
_DAYS: Final = {ROOT: 1095, TARGETS: 1095, SNAPSHOT: 1095, TIMESTAMP: 45, REVOCATIONS: 3650}
_MEMBER_DAYS: Final = 730

ROLE_PATTERN: Final = rf"({ROOT}|{TARGETS}|{SNAPSHOT}|{TIMESTAMP}|{REVOCATIONS}|{MEMBER}{PREFIX_PATTERN})"

NETWORK_FILE: Final = "network.json"
REVOCATIONS_FILE: Final = "revocations.json"


def member_role(prefix: str) -> str:
    """The role that speaks for a member's keys: `member-rs`."""
    return f"{MEMBER}{prefix}"


def keys_file(prefix: str) -> str:
    """The target that a member signs: `keys/rs.json`."""
    return f"keys/{prefix}.json"


def contact_point_file(identifier: str) -> str:
    """The target in which governance admits a contact point: `contact-points/rs.ncp.json`."""
    return f"contact-points/{identifier}.json"


def file_of_role(role: str) -> str:
    """The one target that a delegated role may sign.

    Raises:
        ValueError: the role is not a delegated one.
    """
    if role == REVOCATIONS:
        return REVOCATIONS_FILE
    if not role.startswith(MEMBER):
        raise ValueError(role)
    return keys_file(role.removeprefix(MEMBER))


def delegation(role: str, keyids: list[str], *, threshold: int) -> DelegatedRole:
    """A delegation of exactly that target, to exactly these keys."""
    return DelegatedRole(role, keyids, threshold, terminating=True, paths=[file_of_role(role)])


def expiry(role: str, at: datetime) -> datetime:
    """Until when a signature made at `at` holds."""
    return at + timedelta(days=_DAYS.get(role, _MEMBER_DAYS))
