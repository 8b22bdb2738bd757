"""Accounts for whoever visits a console of the demonstration, with passwords that are made up at each start."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.app.accounts.roles import Role
from bridge.compose.console import accounts_of
from bridge.compose.node import Node
from bridge.core.countries import country_name
from demo.consoles import ROUTE

MADE_BY: Final = "demo"
OFFICE: Final = "ncp"  # of each country's contact points the one that the visitors work for
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another
_GROUPS, _IN_A_GROUP = 4, 4  # some 79 bits
_LOGINS: Final[Mapping[Role, str]] = {
    Role.DUTY_OFFICER: "officer",
    Role.APPROVER: "approver",
    Role.OPERATOR: "operator",
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """One account: where (the country's prefix), and what it is for."""

    prefix: str
    role: Role
    password: str = field(repr=False)

    @property
    def login(self) -> str:
        """As it is typed."""
        return _LOGINS[self.role]

    @property
    def name(self) -> str:
        """As logs and answers have it."""
        return f"{self.role.replace('_', ' ').capitalize()}, {country_name(self.prefix.upper())}"


def make_visitors() -> Sequence[Visitor]:
    """An officer and an approver for each country of the route, and an operator where it ends: forgers write there."""
    accounts = [(prefix, role) for prefix in ROUTE for role in (Role.DUTY_OFFICER, Role.APPROVER)]
    *_, destination = ROUTE
    return [Visitor(prefix, role, _password()) for prefix, role in [*accounts, (destination, Role.OPERATOR)]]


async def let_in(visitors: Sequence[Visitor], nodes: Mapping[str, Node]) -> None:
    """Makes their accounts."""
    for visitor in visitors:
        await accounts_of(nodes[visitor.prefix]).add(
            visitor.login,
            name=visitor.name,
            roles=[visitor.role],
            by=MADE_BY,
            contact_point=None if visitor.role is Role.OPERATOR else f"{visitor.prefix}.{OFFICE}",
            password=visitor.password,
        )


def _password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_IN_A_GROUP)) for _ in range(_GROUPS))
