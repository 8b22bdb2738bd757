"""Consoles for three countries of one route while the demonstration stays up, each served by its country's process."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, TypeVar
from urllib.parse import quote, urlsplit

from bridge.adapters.amqp.management import Management
from bridge.private_files import write_private
from broker.access import Access
from broker.ports import LOOPBACK, free_ports

# Of the first sample alert's route, and who goes on duty there: a country's prefix -> where on the route it is.
ROUTE: Final[Mapping[str, str]] = MappingProxyType({"rs": "origin", "hu": "transit", "at": "destination"})
ZONES: Final = MappingProxyType({"rs": "Europe/Belgrade", "hu": "Europe/Budapest", "at": "Europe/Vienna"})
MONITOR_URL_FILE: Final = Path("secrets/broker-monitor.url")
Country = TypeVar("Country")

_FIGURES_ONLY: Final = {"configure": "^$", "write": "^$", "read": "^$"}


@dataclass(frozen=True, slots=True)
class Consoles:
    """The ports by the country's prefix."""

    ports: Mapping[str, int]

    @classmethod
    def on_free_ports(cls) -> Self:
        """One for each country of the route."""
        return cls(dict(zip(ROUTE, free_ports(len(ROUTE)), strict=True)))

    @property
    def addresses(self) -> Mapping[str, str]:
        """What a visitor opens, by the country's prefix."""
        return {prefix: f"http://{LOOPBACK}:{port}" for prefix, port in self.ports.items()}

    @property
    def environments(self) -> Mapping[str, Mapping[str, str]]:
        """What the countries' processes are told on top of their settings, by the country's prefix."""
        return {
            prefix: {
                "NCP_BRIDGE_CONSOLE__LISTEN": str(port),
                "NCP_BRIDGE_CONSOLE__TIME_ZONE": ZONES[prefix],
                "NCP_BRIDGE_BROKER__MONITOR_URL_FILE": str(MONITOR_URL_FILE),
            }
            for prefix, port in self.ports.items()
        }

    def without_visitors(self, countries: Mapping[str, Country]) -> Mapping[str, Country]:
        """Of countries by their prefix those where nobody visits, so that their own officers have to act."""
        return {prefix: country for prefix, country in countries.items() if prefix not in self.ports}

    @contextmanager
    def monitoring(self, configs: Mapping[str, Path], *, broker: Access, vhost: str) -> Iterator[None]:
        """An account with which the operators' pages ask for figures of queues; it may do nothing else. Blocks.

        Raises:
            UnavailableError: the management API cannot be reached, or it refuses the administrator.
        """
        management = Management.at(broker.management_url)
        account, password = f"{vhost}-monitor", secrets.token_urlsafe(24)
        user, access = f"/api/users/{quote(account)}", f"/api/permissions/{quote(vhost)}/{quote(account)}"
        management.request("PUT", user, {"password": password, "tags": "monitoring"})
        try:
            management.request("PUT", access, _FIGURES_ONLY)
            api = urlsplit(broker.management_url)
            place = api.netloc.rpartition("@")[2]
            url = f"{api.scheme}://{quote(account)}:{quote(password)}@{place}\n"
            for prefix in self.ports:
                write_private(configs[prefix].parent / MONITOR_URL_FILE, url.encode())
            yield
        finally:
            management.delete("users", account)
