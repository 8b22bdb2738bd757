"""A topology as RabbitMQ's definitions document: for `load_definitions` at boot and for the management API's import.

It holds no argument or setting that 3.10 does not know or that 4.x calls deprecated. Passwords leave as salted hashes.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

from bridge.adapters.amqp.topology import MAX_CHANNELS, MAX_CONNECTIONS, NOTHING, Account, Topology

QUORUM: Final = {"x-queue-type": "quorum"}
SALT_BYTES: Final = 4  # fixed by RabbitMQ

Entry = dict[str, object]


def definitions(topology: Topology, *, vhost: str) -> dict[str, list[Entry]]:
    """The document for one virtual host; every call salts the password hashes anew."""
    return {
        "vhosts": [{"name": vhost}],
        "users": [_user(account) for account in topology.accounts],
        "permissions": [
            {"user": account.name, "vhost": vhost, "configure": NOTHING, "write": account.write, "read": account.read}
            for account in topology.accounts
        ],
        "topic_permissions": [
            {"user": account.name, "vhost": vhost, "exchange": exchange, "write": keys, "read": NOTHING}
            for account in topology.accounts
            for exchange, keys in account.write_keys.items()
        ],
        "policies": [
            {
                "vhost": vhost,
                "name": policy.name,
                "pattern": policy.pattern,
                "apply-to": "queues",
                "priority": 0,
                "definition": dict(policy.settings),
            }
            for policy in topology.policies
        ],
        "exchanges": [
            {
                "name": exchange.name,
                "vhost": vhost,
                "type": exchange.type,
                "durable": True,
                "auto_delete": False,
                "internal": False,
                "arguments": {},
            }
            for exchange in topology.exchanges
        ],
        "queues": [
            {"name": queue.name, "vhost": vhost, "durable": True, "auto_delete": False, "arguments": dict(QUORUM)}
            for queue in topology.queues
        ],
        "bindings": [
            {
                "source": binding.source,
                "vhost": vhost,
                "destination": binding.destination,
                "destination_type": binding.destination_type,
                "routing_key": binding.routing_key,
                "arguments": {},
            }
            for binding in topology.bindings
        ],
        "parameters": [
            {"vhost": vhost, "component": "vhost-limits", "name": "limits", "value": {"max-connections": connections}}
            for connections in (topology.connections,)
            if connections is not None
        ],
    }


def is_password(password: str, hashed: str) -> bool:
    """Whether a salted hash of RabbitMQ's is this password's."""
    salt_bytes = base64.b64decode(hashed)[:SALT_BYTES]
    return len(salt_bytes) == SALT_BYTES and hmac.compare_digest(password_hash(password, salt_bytes), hashed)


def password_hash(password: str, salt_bytes: bytes) -> str:
    """RabbitMQ's salted SHA-256: base64 of the salt and the digest of salt and password."""
    digest = hashlib.sha256(salt_bytes + password.encode("utf-8")).digest()
    return base64.b64encode(salt_bytes + digest).decode("ascii")


def _user(account: Account) -> Entry:
    hashed = "" if account.password is None else password_hash(account.password, secrets.token_bytes(SALT_BYTES))
    return {
        "name": account.name,
        "password_hash": hashed,  # empty: no password opens it
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": [],
        "limits": {"max-connections": MAX_CONNECTIONS, "max-channels": MAX_CHANNELS},
    }
