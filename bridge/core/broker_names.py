"""The names of exchanges, queues, routing keys and accounts on the broker.

Pure functions of country prefixes, contact point ids and lanes; nothing else spells these names. Accounts are written
with hyphens, because a dot is a wildcard in the broker's permission patterns.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from bridge.core.ids import prefix_of

Lane = Literal["urgent", "normal"]

ALERTS: Final = "alerts"
DEAD: Final = "dead"
_OF_A_MEMBER: Final = re.compile(
    r"(?:from|contact-points|dead|queues)\.([a-z]{2})"
    r"|country\.([a-z]{2})\.(?:urgent|normal)"
    r"|inbox\.([a-z]{2})\.[a-z0-9-]{1,32}\.(?:urgent|normal)"
    r"|([a-z]{2})-(?:relay|router|inbox-[a-z0-9-]{1,32})"
)
LANES: Final[tuple[Lane, ...]] = ("urgent", "normal")  # consumed in this order


def ingress_exchange(prefix: str) -> str:
    """The exchange that only this country's relay may write: `from.rs`."""
    return f"from.{prefix}"


def contact_points_exchange(prefix: str) -> str:
    """The exchange that only this country's router may write: `contact-points.rs`."""
    return f"contact-points.{prefix}"


def country_queue(prefix: str, lane: str) -> str:
    """What is addressed to a country, before routing: `country.rs.urgent`."""
    return f"country.{prefix}.{lane}"


def country_queues(prefix: str) -> tuple[str, ...]:
    """A country's queues, urgent first, then what the broker gave up on: all take the same receive path."""
    return (*(country_queue(prefix, lane) for lane in LANES), dead_queue(prefix))


def inbox_queue(contact_point: str, lane: str) -> str:
    """What is addressed to one contact point: `inbox.rs.ncp.urgent`."""
    return f"inbox.{contact_point}.{lane}"


def inbox_queues(contact_point: str) -> tuple[str, ...]:
    """A contact point's queues, urgent first."""
    return tuple(inbox_queue(contact_point, lane) for lane in LANES)


def dead_queue(prefix: str) -> str:
    """What the broker could not deliver to a country's queues: `dead.rs`."""
    return f"dead.{prefix}"


def alert_key(sender_prefix: str, recipient_prefix: str, *, lane: str, kind: str) -> str:
    """The routing key on the ingress exchange: `rs.at.urgent.route_alert`."""
    return f"{sender_prefix}.{recipient_prefix}.{lane}.{kind}"


def contact_point_key(contact_point: str, lane: str) -> str:
    """The routing key on a country's contact points exchange: `rs.ncp.urgent`."""
    return f"{contact_point}.{lane}"


def key_names_sender(queue: str) -> bool:
    """Whether deliveries of `queue` carry the sender's own routing key: behind routers and dead letters they do not."""
    return queue.startswith("country.")


def relay_account(prefix: str) -> str:
    """The account that publishes a country's messages: `rs-relay`."""
    return f"{prefix}-relay"


def router_account(prefix: str) -> str:
    """The account that reads a country's queues and writes to its contact points: `rs-router`."""
    return f"{prefix}-router"


def inbox_account(contact_point: str) -> str:
    """The account that reads one contact point's queues: `rs-inbox-border-police`."""
    return f"{prefix_of(contact_point)}-inbox-{contact_point.partition('.')[2]}"


def member_of(name: str) -> str | None:
    """The prefix of the member whose exchange, queue, policy or account has this name; `None` for others' names."""
    found = _OF_A_MEMBER.fullmatch(name)
    return next(filter(None, found.groups())) if found else None
