"""What docker-compose.yml mounts: the broker's definitions for a network, the passwords beside them, its certificate.

The definitions hold the administrator and everything the countries need, but none of their accounts: those come from
each node's own secret files, by `ncp-bridge topology apply`, and a broker that starts again must not set them back. A
password that is there already is kept.
"""

from __future__ import annotations

import json
import secrets
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from bridge.adapters.amqp.definitions import definitions
from bridge.adapters.amqp.topology import Topology, account_names, country_topology, merge, shared_topology
from bridge.core.errors import BadInputError
from bridge.core.ids import is_contact_point, prefix_of
from bridge.founding.certificates import Secretariat
from broker.administrator import ADMIN, with_administrator
from broker.secret_files import write_secret
from broker.tls import HOSTS, certify_broker

if TYPE_CHECKING:
    from collections.abc import Sequence

VHOST: Final = "/"
MANAGEMENT: Final = "127.0.0.1:15672"  # as docker-compose.yml publishes it
IN_COMPOSE: Final = ("broker", *HOSTS)  # as docker-compose.yml names it, and as its ports are published
PASSWORD_BYTES: Final = 24
FOR_CONTAINERS: Final = 0o644  # a container's user is another one; the folder is the owner's alone


def write_definition_files(folder: Path, network: Path) -> dict[str, object]:
    """Writes `definitions.json`, `admin-url` and `database-password` into a folder; paths and counts of what they hold.

    Args:
        folder: made if need be, and closed to everybody else.
        network: the description that `ncp-bridge network init` takes.

    Raises:
        BadInputError: it cannot be read, or a contact point's id in it is malformed.
    """
    topology = topology_of(contact_points_of(network))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    document = with_administrator(definitions(topology, vhost=VHOST), _admin_password(folder / "admin-url"))
    path = folder / "definitions.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    database_password = folder / "database-password"
    if not database_password.exists():
        write_secret(database_password, secrets.token_urlsafe(PASSWORD_BYTES))
    for mounted in (path, database_password):
        mounted.chmod(FOR_CONTAINERS)
    return {
        "definitions": str(path),
        "admin_url_file": str(folder / "admin-url"),
        "exchanges": len(topology.exchanges),
        "queues": len(topology.queues),
    }


def write_certificate_files(folder: Path, network: Path) -> dict[str, object]:
    """Writes the broker's certificate, a new key to it, and the network's authorities into the folder; their paths.

    Raises:
        RefusedError: the network in the folder `network` does not verify.
        UnavailableError: it is not there, or without its authority's key.
    """
    files = certify_broker(folder, Secretariat.of(network), hosts=IN_COMPOSE)
    files.key.chmod(FOR_CONTAINERS)
    return dict(files.as_plan())


def contact_points_of(network: Path) -> tuple[str, ...]:
    """The ids of a network description's contact points.

    Raises:
        BadInputError: it cannot be read, or names none, or an id is malformed.
    """
    try:
        with network.open("rb") as file:
            points = tuple(str(entry["id"]) for entry in tomllib.load(file)["contact_points"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        expected = "expected a network description with contact_points"
        raise BadInputError("E_NETWORK", f"{network}: {expected}: {type(error).__name__} {error}") from error
    for point in points:
        if not is_contact_point(point):
            raise BadInputError(
                "E_NETWORK", f"{network}: found {point!r}, expected a contact point's id such as rs.ncp"
            )
    return points


def topology_of(contact_points: Sequence[str]) -> Topology:
    """What these contact points and their countries need, without accounts."""
    countries = []
    for prefix in sorted({prefix_of(point) for point in contact_points}):
        points = [point for point in contact_points if prefix_of(point) == prefix]
        countries.append(country_topology(prefix, points, passwords=dict.fromkeys(account_names(prefix, points))))
    topology = merge([shared_topology(), *countries])
    return Topology(topology.exchanges, topology.queues, topology.bindings, topology.policies)


def _admin_password(url_file: Path) -> str:
    if not url_file.exists():
        write_secret(url_file, f"http://{ADMIN}:{secrets.token_urlsafe(PASSWORD_BYTES)}@{MANAGEMENT}")
    password = urlsplit(url_file.read_text(encoding="utf-8").strip()).password
    if not password:
        raise BadInputError("E_BROKER_URL", f"{url_file}: found no password in it; delete the file for a new one")
    return password
