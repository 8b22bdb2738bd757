"""How often somebody may do something at the console."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from bridge.web.limit import Limit

SPAN: Final = timedelta(minutes=5)
MOST_OF_ADDRESS: Final = 60
MOST_OF_LOGIN: Final = 10
MOST_FORMS: Final = 900  # a page that draws while somebody types sends one or two a second
_NETWORK_V6: Final = 64  # one household or machine has all of it


@dataclass(frozen=True, slots=True)
class Limits:
    """The console's limits.

    Attributes:
        address: attempts to sign in from one address; more than a shift that shares one needs.
        login: attempts to sign in as one login; beyond them even the right password has to wait.
        session: forms sent in one session.
    """

    address: Limit = field(default_factory=lambda: Limit(MOST_OF_ADDRESS, SPAN))
    login: Limit = field(default_factory=lambda: Limit(MOST_OF_LOGIN, SPAN))
    session: Limit = field(default_factory=lambda: Limit(MOST_FORMS, SPAN))


def address_of(host: str) -> str:
    """Who an address stands for: the /64 of an IPv6 address, else the address."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, _NETWORK_V6), strict=False)) if address.version == 6 else host  # noqa: PLR2004 - IPv6
