"""How often somebody may do something: so many times in a span, counted in memory, for a bounded number of people."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

MOST_COUNTED: Final = 4096  # of one limit; who has been quiet for longest is forgotten first
SPAN: Final = timedelta(minutes=5)
MOST_OF_ADDRESS: Final = 60
MOST_OF_LOGIN: Final = 10
MOST_FORMS: Final = 900  # a page that draws while somebody types sends one or two a second
_NETWORK_V6: Final = 64  # one household or machine has all of it


@dataclass(slots=True)
class Limit:
    """So many times in a span."""

    most: int
    span: timedelta
    _times: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)

    def take(self, who: str, now: datetime) -> bool:
        """Counts one time, or answers that it is one too many; what is refused does not count."""
        times = self._times.setdefault(who, deque())
        self._times.move_to_end(who)
        if len(self._times) > MOST_COUNTED:
            self._times.popitem(last=False)
        while times and times[0] <= now - self.span:
            times.popleft()
        if len(times) >= self.most:
            return False
        times.append(now)
        return True


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
