"""What it takes to be connected: with a password in the clear, and by TLS with a certificate, on a broker for each.

A connection is made as a session makes it, from nothing to the answered login, and closed. The two ways take turns.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import quote

from bridge.adapters.amqp.link import Link
from bridge.adapters.amqp.login import Login
from bridge.adapters.amqp.management import Management
from bridge.adapters.certificates.contexts import account_context
from bridge.founding.certificates import Secretariat
from bridge.founding.network import found_network
from broker import PrivateNode
from broker.tls import certify_broker
from demo.network import NETWORK_FILE

PASSWORD: Final = "password in the clear"  # noqa: S105 - names a way
CERTIFICATE: Final = "certificate, TLS 1.3"
ACCOUNT: Final = "rs-relay"
DEADLINE_SECONDS: Final = 20.0
HEARTBEAT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class SigningInFigure:
    """One way of signing in.

    Attributes:
        milliseconds: from nothing to signed in, median.
        cpu_us: of this process, of the whole connection with its end.
    """

    way: str
    connections: int
    milliseconds: float
    cpu_us: float


def measure_signing_in(folder: Path, *, connections: int) -> list[SigningInFigure]:
    """Both ways; blocks for two boots of a broker and the connections."""
    found_network(folder / "network", NETWORK_FILE)
    secretariat = Secretariat.of(folder / "network")
    certificates = folder / "certificates"
    secretariat.equip(certificates, "rs", [ACCOUNT])
    with PrivateNode() as plain, PrivateNode(tls=certify_broker(folder / "broker", secretariat)) as secured:
        _make_account(secured)
        authorities = secretariat.directory.certificate_authorities

        def by_certificate() -> Login:
            context = account_context(certificates, ACCOUNT, authorities=authorities, at=datetime.now(UTC))
            return Login([secured.amqp_url(user=ACCOUNT)], context)

        ways = {PASSWORD: lambda: Login([plain.amqp_url()]), CERTIFICATE: by_certificate}
        taken: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}

        async def measure() -> None:
            for _ in range(connections):
                for way, login in ways.items():
                    taken[way].append(await _connect(login()))

        asyncio.run(measure())
    return [
        SigningInFigure(way, connections, median(ms for ms, _ in times), median(cpu for _, cpu in times))
        for way, times in taken.items()
    ]


async def _connect(login: Login) -> tuple[float, float]:
    begun, cpu_begun = time.perf_counter(), time.process_time()
    link = await Link.open(
        login.urls[0],
        login=login,
        name="benchmark",
        heartbeat_seconds=HEARTBEAT_SECONDS,
        deadline_seconds=DEADLINE_SECONDS,
    )
    seconds = time.perf_counter() - begun
    await link.close()
    return seconds * 1e3, (time.process_time() - cpu_begun) * 1e6


def _make_account(broker: PrivateNode) -> None:
    management, name = Management.at(broker.management_url), quote(ACCOUNT, safe="")
    management.request("PUT", f"/api/users/{name}", {"password_hash": "", "tags": ""})
    management.request("PUT", f"/api/permissions/%2F/{name}", {"configure": "^$", "write": "^$", "read": "^$"})
