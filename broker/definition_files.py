"""A broker's definitions as a file, the passwords in files beside it: for `load_definitions` of a broker that stays.

The definitions hold salted hashes only. A password that is there already is kept, so that a second run with one country
more changes no account.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bridge.adapters.amqp.definitions import definitions
from bridge.adapters.amqp.topology import account_names, country_topology, merge, shared_topology
from bridge.core.errors import BadInputError
from bridge.core.ids import is_contact_point, prefix_of
from broker.administrator import ADMIN, with_administrator
from broker.secret_files import write_secret

# The fourteen countries of the example network, one contact point each.
CONTACT_POINTS: Final = tuple(
    f"{prefix}.ncp" for prefix in ("al", "at", "ba", "bg", "de", "hr", "hu", "it", "md", "me", "mk", "ro", "rs", "xk")
)
PASSWORD_BYTES: Final = 24


def write_definition_files(folder: Path, contact_points: Sequence[str], *, vhost: str) -> dict[str, object]:
    """Writes `definitions.json` and `passwords/<account>` into a folder; the counts of what is in it.

    Raises:
        BadInputError: a contact point's id is malformed.
    """
    for point in contact_points:
        if not is_contact_point(point):
            raise BadInputError("E_TOPOLOGY", f"{point!r} is not a contact point's id such as rs.ncp")
    prefixes = sorted({prefix_of(point) for point in contact_points})
    points = {prefix: [point for point in contact_points if prefix_of(point) == prefix] for prefix in prefixes}
    passwords = {
        account: _password(folder / "passwords" / account)
        for prefix in prefixes
        for account in account_names(prefix, points[prefix])
    }
    countries = [country_topology(prefix, points[prefix], passwords=passwords) for prefix in prefixes]
    topology = merge([shared_topology(), *countries])
    document = with_administrator(definitions(topology, vhost=vhost), _password(folder / "passwords" / ADMIN))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "definitions.json"
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    path.chmod(0o644)  # the broker's own user in the container reads it; the folder above is the owner's alone
    return {
        "definitions": str(path),
        "passwords": str(folder / "passwords"),
        "exchanges": len(topology.exchanges),
        "queues": len(topology.queues),
        "accounts": len(topology.accounts) + 1,
    }


def _password(path: Path) -> str:
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(PASSWORD_BYTES))
    return path.read_text(encoding="utf-8").strip()
