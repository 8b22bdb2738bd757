"""What has to be on the broker for one network, as data: exchanges, queues, bindings, policies and accounts.

Rules:
1. Who may write where is decided by exchanges of one's own, never by routing keys alone: a publisher can reach every
   binding of an exchange through `CC` headers. A topic permission is a help on top, written for every account that
   writes, because without one every key would be allowed.
2. No account may configure anything; each may read or write exactly what its service needs.
3. Every queue is a durable quorum queue. What may change later is a policy, not a queue argument.

It does not talk to the broker: see `definitions` and `apply`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from bridge.core import broker_names as names
from bridge.core.errors import BadInputError
from bridge.core.ids import is_contact_point, prefix_of

NOTHING: Final = "^$"
DELIVERY_LIMIT: Final = 1000  # a lost connection counts as a delivery, so a low limit would kill healthy messages
ENDLESS_DELIVERIES: Final = 1_000_000_000  # dead letters have nowhere else to go; 4.x would drop them after 20
MAX_LENGTH: Final = 200_000
# Of one queue, so that a flood of large messages fills that queue and not the broker's disk.
MAX_LENGTH_BYTES: Final = 1024**3
# A day more than the longest lifetime: what expires is told apart by its contact point, not by the broker.
MESSAGE_TTL_MS: Final = 31 * 24 * 3600 * 1000
# Of one account. A service has two or three connections, a restart or a cut network leaves some behind for a while.
MAX_CONNECTIONS: Final = 32
MAX_CHANNELS: Final = 256
SPARE_CONNECTIONS: Final = 64  # of a virtual host, for whoever runs and watches it
_PREFIX: Final = re.compile(r"[a-z]{2}\Z")

PolicyValue = str | int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: Literal["topic", "direct"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue."""

    name: str


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange to a queue or to another exchange."""

    source: str
    destination: str
    routing_key: str
    destination_type: Literal["queue", "exchange"] = "queue"


@dataclass(frozen=True, slots=True)
class Policy:
    """Settings for all queues whose name matches `pattern`; they can be changed without declaring a queue again."""

    name: str
    pattern: str
    settings: Mapping[str, PolicyValue]


@dataclass(frozen=True, slots=True)
class Account:
    """A broker account; the patterns are regular expressions over resource names.

    Attributes:
        password: `None` for an account that logs in with its certificate.
        write_keys: for each topic exchange the routing keys that it may publish with.
    """

    name: str
    password: str | None = field(repr=False)
    write: str = NOTHING
    read: str = NOTHING
    write_keys: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that one or several countries need on a broker.

    Attributes:
        connections: that the whole virtual host may have; `None`: left as it is.
    """

    exchanges: tuple[Exchange, ...] = ()
    queues: tuple[Queue, ...] = ()
    bindings: tuple[Binding, ...] = ()
    policies: tuple[Policy, ...] = ()
    accounts: tuple[Account, ...] = ()
    connections: int | None = None


def shared_topology() -> Topology:
    """What all countries of a network share: the exchange behind the ingress exchanges, and that for dead letters."""
    return Topology(exchanges=(Exchange(names.ALERTS, "topic"), Exchange(names.DEAD, "direct")))


def country_topology(
    prefix: str,
    contact_points: Sequence[str],
    *,
    passwords: Mapping[str, str | None],
    max_length: int = MAX_LENGTH,
) -> Topology:
    """What one country needs, besides `shared_topology()`.

    Args:
        prefix: the country's or organisation's prefix, `rs`.
        contact_points: the ids of its contact points.
        passwords: one for each account name (see `names`), or `None` for login by certificate.
        max_length: messages that a queue may hold; more are refused to the publisher, who keeps them.

    Raises:
        BadInputError: a name is malformed, a contact point is another country's, or an account has no password.
    """
    _check_names(prefix, contact_points)
    inboxes = [queue for contact_point in contact_points for queue in names.inbox_queues(contact_point)]
    return Topology(
        exchanges=(
            Exchange(names.ingress_exchange(prefix), "topic"),
            Exchange(names.contact_points_exchange(prefix), "direct"),
        ),
        queues=tuple(Queue(name) for name in (*names.country_queues(prefix), *inboxes)),
        bindings=_bindings(prefix, contact_points),
        policies=_policies(prefix, max_length),
        accounts=_accounts(prefix, contact_points, passwords),
    )


def network_topology(members: Mapping[str, Sequence[str]], *, passwords: Mapping[str, str]) -> Topology:
    """What all members of a network need on a broker that they share.

    Args:
        members: prefix -> the ids of its contact points.
        passwords: of those accounts whose password is known here; the others have `None`.

    Raises:
        BadInputError: a name is malformed, or a contact point is another country's.
    """
    each = [
        country_topology(
            prefix, points, passwords={name: passwords.get(name) for name in account_names(prefix, points)}
        )
        for prefix, points in members.items()
    ]
    whole = merge([shared_topology(), *each])
    return replace(whole, connections=MAX_CONNECTIONS * len(whole.accounts) + SPARE_CONNECTIONS)


def merge(topologies: Sequence[Topology]) -> Topology:
    """One topology for several; what occurs in more than one stands there once."""
    return Topology(
        exchanges=tuple(dict.fromkeys(item for topology in topologies for item in topology.exchanges)),
        queues=tuple(dict.fromkeys(item for topology in topologies for item in topology.queues)),
        bindings=tuple(dict.fromkeys(item for topology in topologies for item in topology.bindings)),
        policies=tuple({item.name: item for topology in topologies for item in topology.policies}.values()),
        accounts=tuple({item.name: item for topology in topologies for item in topology.accounts}.values()),
    )


def account_names(prefix: str, contact_points: Sequence[str]) -> tuple[str, ...]:
    """The accounts for which `country_topology` wants a password."""
    inboxes = (names.inbox_account(contact_point) for contact_point in contact_points)
    return (names.relay_account(prefix), names.router_account(prefix), *inboxes)


def _bindings(prefix: str, contact_points: Sequence[str]) -> tuple[Binding, ...]:
    ingress = Binding(names.ingress_exchange(prefix), names.ALERTS, f"{prefix}.#", "exchange")
    arriving = [
        Binding(names.ALERTS, names.country_queue(prefix, lane), f"*.{prefix}.{lane}.*") for lane in names.LANES
    ]
    local = [
        Binding(
            names.contact_points_exchange(prefix),
            names.inbox_queue(contact_point, lane),
            names.contact_point_key(contact_point, lane),
        )
        for contact_point in contact_points
        for lane in names.LANES
    ]
    return (ingress, *arriving, *local, Binding(names.DEAD, names.dead_queue(prefix), prefix))


def _policies(prefix: str, max_length: int) -> tuple[Policy, ...]:
    bounded: dict[str, PolicyValue] = {
        "max-length": max_length,
        "max-length-bytes": MAX_LENGTH_BYTES,
        "overflow": "reject-publish",
    }
    dead_lettering: dict[str, PolicyValue] = {
        "delivery-limit": DELIVERY_LIMIT,
        "dead-letter-exchange": names.DEAD,
        "dead-letter-routing-key": prefix,
        "dead-letter-strategy": "at-least-once",
        "message-ttl": MESSAGE_TTL_MS,
    }
    return (
        Policy(
            f"queues.{prefix}", rf"^(country\.{prefix}|inbox\.{prefix}\..+)\.(urgent|normal)$", bounded | dead_lettering
        ),
        Policy(f"dead.{prefix}", rf"^dead\.{prefix}$", bounded | {"delivery-limit": ENDLESS_DELIVERIES}),
    )


def _accounts(prefix: str, contact_points: Sequence[str], passwords: Mapping[str, str | None]) -> tuple[Account, ...]:
    missing = [name for name in account_names(prefix, contact_points) if name not in passwords]
    if missing:
        raise BadInputError("E_TOPOLOGY", f"no password for the broker accounts {', '.join(missing)}")
    lanes = "|".join(names.LANES)
    relay, router = names.relay_account(prefix), names.router_account(prefix)
    ingress = names.ingress_exchange(prefix)
    keys = rf"^{prefix}\.[a-z]{{2}}\.({lanes})\.[a-z_]+$"
    return (
        Account(
            relay,
            passwords[relay],
            write=_exactly(ingress),
            write_keys={names.ALERTS: NOTHING, ingress: keys},
        ),
        Account(
            router,
            passwords[router],
            write=_exactly(names.contact_points_exchange(prefix)),
            read=_exactly(*names.country_queues(prefix)),
            write_keys={names.ALERTS: NOTHING, ingress: NOTHING},
        ),
        *(
            Account(
                names.inbox_account(contact_point),
                passwords[names.inbox_account(contact_point)],
                read=_exactly(*names.inbox_queues(contact_point)),
                write_keys={names.ALERTS: NOTHING, ingress: NOTHING},
            )
            for contact_point in contact_points
        ),
    )


def _exactly(*resource_names: str) -> str:
    return f"^({'|'.join(re.escape(name) for name in resource_names)})$"


def _check_names(prefix: str, contact_points: Sequence[str]) -> None:
    if _PREFIX.match(prefix) is None:
        raise BadInputError("E_TOPOLOGY", f"{prefix!r} is not a country's or an organisation's prefix")
    for contact_point in contact_points:
        if not is_contact_point(contact_point) or prefix_of(contact_point) != prefix:
            raise BadInputError("E_TOPOLOGY", f"{contact_point!r} is not a contact point of {prefix!r}")
