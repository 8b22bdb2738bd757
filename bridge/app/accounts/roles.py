"""Five roles, and what each allows. Deny by default: what stands in no row nobody may.

| role | for |
|---|---|
| duty officer | reads, answers, writes alerts, asks for their release |
| approver | releases what another wrote, reads what is to be released and what arrived |
| operator | keeps the node going, and sees no content |
| auditor | reads everything and changes nothing; own reads are logged as everybody's |
| administrator | accounts, and nothing else |
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Role(StrEnum):
    """What an account is for; it may have several."""

    DUTY_OFFICER = "duty_officer"
    APPROVER = "approver"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


class Permission(StrEnum):
    """What a page or an action needs."""

    READ_MESSAGES = "read_messages"
    ANSWER = "answer"
    WRITE_ALERTS = "write_alerts"
    RELEASE = "release"
    READ_STATISTICS = "read_statistics"
    WATCH_NODE = "watch_node"
    WORK_ON_NODE = "work_on_node"
    READ_AUDIT = "read_audit"
    MANAGE_ACCOUNTS = "manage_accounts"
    OWN_ACCOUNT = "own_account"


_ALLOWED: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.DUTY_OFFICER: frozenset(
            {Permission.READ_MESSAGES, Permission.ANSWER, Permission.WRITE_ALERTS, Permission.READ_STATISTICS}
        ),
        Role.APPROVER: frozenset({Permission.READ_MESSAGES, Permission.RELEASE, Permission.READ_STATISTICS}),
        Role.OPERATOR: frozenset({Permission.WATCH_NODE, Permission.WORK_ON_NODE}),
        Role.AUDITOR: frozenset(
            {Permission.READ_MESSAGES, Permission.READ_STATISTICS, Permission.WATCH_NODE, Permission.READ_AUDIT}
        ),
        Role.ADMINISTRATOR: frozenset({Permission.MANAGE_ACCOUNTS}),
    }
)


def allows(roles: Collection[Role], permission: Permission) -> bool:
    """Whether one of the roles has the permission; whoever has signed in has an account of their own."""
    return permission is Permission.OWN_ACCOUNT or any(permission in _ALLOWED[role] for role in roles)
