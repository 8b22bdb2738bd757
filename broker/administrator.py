"""The administrator's account in a definitions document.

With definitions at boot RabbitMQ makes no default account, so the administrator has to stand in them.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final

from bridge.adapters.amqp.definitions import SALT_BYTES, password_hash

ADMIN: Final = "admin"

Definitions = Mapping[str, Any]


def with_administrator(document: Definitions, password: str) -> dict[str, Any]:
    """The document with the account `admin`, who may do everything in its virtual hosts and in `/`."""
    admin = {
        "name": ADMIN,
        "password_hash": password_hash(password, secrets.token_bytes(SALT_BYTES)),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": ["administrator"],
        "limits": {},
    }
    vhosts = {entry["name"]: entry for entry in [{"name": "/"}, *document.get("vhosts", [])]}
    access = [{"user": ADMIN, "vhost": name, "configure": ".*", "write": ".*", "read": ".*"} for name in vhosts]
    return {
        **document,
        "vhosts": list(vhosts.values()),
        "users": [admin, *document.get("users", [])],
        "permissions": [*access, *document.get("permissions", [])],
    }
