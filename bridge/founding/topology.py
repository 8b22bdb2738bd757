"""What a country's node, or a whole network, needs on the broker, put there by an account that may configure it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

from bridge.adapters.amqp.apply import Applied, Reconciled, apply_over_amqp, apply_over_management
from bridge.adapters.amqp.management import Management
from bridge.adapters.amqp.peer_certificates import certificates_in_use
from bridge.adapters.amqp.topology import Topology, country_topology, merge, network_topology, shared_topology
from bridge.core.certificates import CertificateTimes
from bridge.core.directory import LIST_ALARM_AGE, Directory
from bridge.core.errors import BadInputError, RefusedError
from bridge.core.times import format_time
from bridge.private_files import read_private_line
from bridge.settings import NodeSettings


async def apply_topology(nodes: Sequence[NodeSettings]) -> Applied:
    """Puts on the broker of the first node what all these nodes need; doing it again changes nothing.

    Over the management API, accounts and policies included, where an address of it is configured; over AMQP otherwise,
    then without accounts.

    Raises:
        BadInputError: an address of the broker is malformed, or a password would travel in the clear.
        RefusedError: something is on the broker in another form.
        UnavailableError: the broker or a secret file cannot be reached.
    """
    topology, url = _topology(nodes), _administrator_url(nodes[0])
    if not _is_management(url):
        return await apply_over_amqp(url, topology)
    return (await apply_over_management(url, topology, vhost=nodes[0].broker.vhost)).on_broker


async def look_at_topology(node: NodeSettings) -> Reconciled:
    """What `apply_topology` would change; raises like it.

    Raises:
        BadInputError: only the management API can tell (`E_MANAGEMENT_API`).
    """
    url = _management_url(node)
    return await apply_over_management(url, _topology([node]), vhost=node.broker.vhost, dry_run=True)


async def apply_network(
    node: NodeSettings, directory: Directory, *, now: datetime, drop_queues: bool, dry_run: bool
) -> Reconciled:
    """Makes a shared broker be as the membership list says: every member's part is there, and nobody else's is open.

    Whoever is not in the list, or suspended, is sealed off: accounts deleted, connections closed, exchanges and queues
    unbound. With certificates no account has a password; without, those of this node have theirs and others keep what
    they have.

    Raises:
        RefusedError: the list was not confirmed for too long to shut anybody out by it (`E_TRUST_STALE`).
        Else like `look_at_topology`.
    """
    if now - directory.signed_at > LIST_ALARM_AGE:
        detail = f"the membership list was last confirmed {format_time(directory.signed_at)}; expected a newer one"
        raise RefusedError("E_TRUST_STALE", detail)
    members: dict[str, list[str]] = {}
    for point in sorted(directory.contact_points.values(), key=lambda point: point.id):
        if point.suspended is None:
            members.setdefault(point.prefix, []).append(point.id)
    known = {name: password for name, password in _passwords(node).items() if password is not None}
    return await apply_over_management(
        _management_url(node),
        network_topology(members, passwords=known),
        vhost=node.broker.vhost,
        keep_passwords=node.broker.certificates is None,
        seal=True,
        drop_queues=drop_queues,
        dry_run=dry_run,
    )


async def certificates_on_broker(node: NodeSettings) -> Sequence[CertificateTimes]:
    """With what the accounts in the broker's virtual host are signed in, those that end first in front.

    Raises like `look_at_topology`.
    """
    management = Management.at(_management_url(node))
    return await asyncio.to_thread(certificates_in_use, management, node.broker.vhost)


def _topology(nodes: Sequence[NodeSettings]) -> Topology:
    each = [
        country_topology(node.prefix, [point.id for point in node.contact_points], passwords=_passwords(node))
        for node in nodes
    ]
    return merge([shared_topology(), *each])


def _passwords(node: NodeSettings) -> Mapping[str, str | None]:
    """Of each account of the node; `None` where it signs in with its certificate."""
    return {account.user: node.password_of(account) for account in node.accounts}


def _management_url(node: NodeSettings) -> str:
    url = _administrator_url(node)
    if not _is_management(url):
        detail = (
            "the address of the administrator is AMQP; expected the management API's, https://account:password@host"
        )
        raise BadInputError("E_MANAGEMENT_API", detail)
    return url


def _is_management(url: str) -> bool:
    return urlsplit(url).scheme in {"http", "https"}


def _administrator_url(node: NodeSettings) -> str:
    """The management API's address with the administrator's account, or an AMQP address."""
    broker = node.broker
    if broker.admin_url_file is None:
        raise BadInputError(
            "E_CONFIG",
            "$.broker.admin_url_file: found nothing, expected the file with the administrator's address",
            path="$.broker.admin_url_file",
        )
    url = read_private_line(node.path(broker.admin_url_file))
    if broker.management_url is None:
        return url
    account, separator, _ = urlsplit(url).netloc.rpartition("@")
    api = urlsplit(broker.management_url)
    if "@" in api.netloc or not separator:
        where = "$.broker.management_url" if "@" in api.netloc else "the address in admin_url_file"
        expected = "no account and password" if "@" in api.netloc else "account:password@ before the host"
        raise BadInputError("E_CONFIG", f"{where}: expected {expected}", path="$.broker.management_url")
    return api._replace(netloc=f"{account}@{api.netloc}").geturl()
