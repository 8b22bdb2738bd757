"""Serbia and Austria with their consoles on a real broker; Hungary, between them on a route, does not run its node.

Each has an account for each role, all with one password; what is sent is sent by the product's own commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aio_pika
from bridge_countries import Country, eventually, found_country, running
from visits import Visit

from bridge.settings import load_settings
from broker import Access
from broker.ports import LOOPBACK, free_ports

PASSWORD = "correct horse battery staple"
ROLES = {
    "officer": "duty_officer",
    "approver": "approver",
    "operator": "operator",
    "auditor": "auditor",
    "administrator": "administrator",
}
NAMES = {
    "officer": "Vesna Kovač",
    "approver": "Ágnes Nagy",
    "operator": "Petar Ilić",
    "auditor": "M. Huber",
    "administrator": "A. Weiß",
}
READERS = {"officer", "approver", "auditor"}


@dataclass(frozen=True)
class ConsoleNode:
    """One country's node and where its console is.

    Attributes:
        contact_point: whose messages its people read.
    """

    country: Country
    contact_point: str
    origin: str


@contextlib.contextmanager
def running_consoles(folder: Path, broker: Access) -> Iterator[Mapping[str, ConsoleNode]]:
    """The nodes `rs` and `at` with all their services, on a virtual host of their own."""
    vhost = f"consoles-{secrets.token_hex(4)}"
    broker.create_vhost(vhost)
    try:
        nodes = {prefix: _found(folder, prefix, broker, vhost) for prefix in ("rs", "hu", "at")}
        for node in nodes.values():
            node.country.apply_topology(broker.management_url)
        del nodes["hu"]
        with running([node.country for node in nodes.values()]):
            for node in nodes.values():
                _add_people(node)  # the services have made the database
            yield nodes
    finally:
        broker.delete_vhost(vhost)


def send_samples(nodes: Mapping[str, ConsoleNode]) -> None:
    """What the pages are looked at with: alerts to acknowledge and to follow, and one thing that Austria refused."""
    rs, at = nodes["rs"], nodes["at"]
    at.country.submit("25-hu-at-hu-sexual-rotation.json")
    for file in (
        "01-rs-at-construction-recruitment-agency.json",
        "20-rs-de-river-cruise-hospitality.json",
        "26-me-de-domestic-work-exercise.json",
    ):
        message = rs.country.submit(file, "--partial")
        at.country.received(message["id"])
    asyncio.run(_publish_nonsense(rs, "at"))
    eventually(lambda: at.country.ask("quarantine", "list")["items"])


async def sign_in(visit: Visit, login: str) -> None:
    """Signs in at the form and waits for the page that comes after it."""
    await visit.go("/sign-in")
    await visit.page.locator("#login").fill(login)
    await visit.page.locator("#password").fill(PASSWORD)
    await visit.page.locator("form[action$='/sign-in'] button").click()
    await visit.page.wait_for_url(lambda url: "/sign-in" not in url)


def _found(folder: Path, prefix: str, broker: Access, vhost: str) -> ConsoleNode:
    country = found_country(folder, prefix.upper(), broker=broker, vhost=vhost)
    (port,) = free_ports(1)
    with country.config.open("a", encoding="utf-8") as settings:
        settings.write(f'\n[console]\nlisten = "{port}"\n')
    return ConsoleNode(country, f"{prefix}.ncp", f"http://{LOOPBACK}:{port}")


def _add_people(node: ConsoleNode) -> None:
    password = node.country.folder / "password"
    password.touch(mode=0o600)
    password.write_text(PASSWORD + "\n", "utf-8")
    for login, role in ROLES.items():
        reads = ("--contact-point", node.contact_point) if login in READERS else ()
        options = ("--name", NAMES[login], "--role", role, "--password-file", password, *reads)
        node.country.ask("accounts", "add", login, *options)


async def _publish_nonsense(sender: ConsoleNode, receiver: str) -> None:
    """As the sender's own relay would publish a message."""
    settings = load_settings(sender.country.config)
    async with await aio_pika.connect(settings.amqp_urls(settings.broker.relay)[0]) as connection:
        channel = await connection.channel()
        exchange = await channel.get_exchange(f"from.{settings.prefix}", ensure=False)
        message = aio_pika.Message(b"no message at all", message_id="nonsense", type="route_alert", app_id="rs.ncp")
        await exchange.publish(message, f"{settings.prefix}.{receiver}.normal.route_alert")
