"""Two countries on a real broker that lets in certificates only, and what a stranger or another member tries there."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.management import Management
from bridge.adapters.certificates.contexts import account_context
from bridge.adapters.certificates.files import install_certificates, request_certificates
from bridge.founding.certificates import Secretariat
from bridge.founding.network import found_network
from bridge.settings import NodeSettings
from broker import PrivateNode

NETWORK_FILE = Path(__file__).parents[3] / "config" / "demo-network.toml"
LOOK_SECONDS = 0.02
NINETY_DAYS = timedelta(days=90)


@dataclass(frozen=True)
class TlsWorld:
    """A network, the broker that its authority certified, and its nodes.

    Attributes:
        nodes: settings by prefix; their accounts are on the broker.
    """

    network: Path
    broker: PrivateNode
    nodes: Mapping[str, NodeSettings]

    @property
    def secretariat(self) -> Secretariat:
        return Secretariat.of(self.network)

    @property
    def management(self) -> Management:
        return Management.at(self.broker.management_url)

    def url(self, account: str) -> str:
        return self.broker.amqp_url("/", account)

    def context(
        self, folder: Path, account: str, *, secretariat: Secretariat | None = None, lifetime: timedelta = NINETY_DAYS
    ) -> ssl.SSLContext:
        """Of a fresh certificate in a folder, of this network's authority unless another secretariat is named."""
        equip(folder, account, secretariat or self.secretariat, lifetime=lifetime)
        authorities = self.secretariat.directory.certificate_authorities
        return account_context(folder, account, authorities=authorities, at=datetime.now(UTC))

    def login(self, folder: Path, account: str) -> Login:
        return Login([self.url(account)], self.context(folder, account))

    def make_account(self, account: str) -> None:
        """An account on the broker that may do nothing but sign in."""
        name = quote(account, safe="")
        self.management.request("PUT", f"/api/users/{name}", {"password_hash": "", "tags": ""})
        nothing = {"configure": "^$", "write": "^$", "read": "^$"}
        self.management.request("PUT", f"/api/permissions/%2F/{name}", nothing)


def equip(folder: Path, account: str, secretariat: Secretariat, *, lifetime: timedelta = NINETY_DAYS) -> None:
    """A fresh key and certificate in the folder."""
    requests = request_certificates(folder, [account])
    install_certificates(
        folder,
        secretariat.certify(account.partition("-")[0], requests[account], lifetime=lifetime).pem,
        accounts=[account],
        authorities=secretariat.directory.certificate_authorities,
        at=datetime.now(UTC),
    )


def stranger(folder: Path) -> Secretariat:
    """The secretariat of another network, with accounts of the same names."""
    found_network(folder, NETWORK_FILE)
    return Secretariat.of(folder)


async def until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Waits until it holds; fails when that takes too long."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 -- what is waited for is on the broker
            await asyncio.sleep(LOOK_SECONDS)
