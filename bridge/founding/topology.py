"""What a country's node needs on the broker, put there by an account that may configure it."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from bridge.adapters.amqp.apply import Applied, apply_over_amqp, apply_over_management
from bridge.adapters.amqp.topology import country_topology, merge, shared_topology
from bridge.core.errors import BadInputError
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
    topology = merge(
        [
            shared_topology(),
            *(
                country_topology(
                    node.prefix,
                    [point.id for point in node.contact_points],
                    passwords={one.user: node.password_of(one) for one in node.accounts},
                )
                for node in nodes
            ),
        ]
    )
    broker = nodes[0].broker
    url = _administrator_url(nodes[0])
    if urlsplit(url).scheme in {"http", "https"}:
        return await apply_over_management(url, topology, vhost=broker.vhost)
    return await apply_over_amqp(url, topology)


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
