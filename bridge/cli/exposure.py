"""`ncp-bridge network exposure`: what a member could have read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer

from bridge.app.expose_member import Exposure, expose_member
from bridge.cli.options import Config, Limit, on_node
from bridge.cli.output import Json, emit, table
from bridge.cli.wording import moment
from bridge.compose.node import Node
from bridge.core.times import format_time

_KIND = ("kind", "count", "published", "uncertain", "delivered", "acknowledged", "first", "last")
_SENT = ("id", "recipient", "kind", "sent", "state", "code", "delivered_at", "acknowledged_at", "sealed_to")
_NAMES = {"sender": "from", "recipient": "to", "contact_point": "to"}
_RECEIVED = ("id", "sender", "kind", "sent", "received_at")


def exposure(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="A country or prefix, in the list or not any more.")],
    config: Config,
    limit: Limit = 1000,
    as_json: Json = False,
) -> None:
    """Report what a member could have read of what this node sent, and what came from it.

    It could read whatever a broker took for its contact points, from then on; of what is uncertain no broker said
    whether it took it. A receipt (delivered) proves that it
    stored a message, an acknowledgement that a person saw it. Every node reports for itself: run this on each. The
    newest messages are named, all are counted.
    """

    async def work(node: Node) -> Exposure:
        return await expose_member(node.store, node.trust.current(), member, limit=limit)

    found = on_node(config, work)
    emit(_data(found), as_json=as_json, text=lambda: _text(found))


def _data(found: Exposure) -> dict[str, object]:
    exposed, span = found.exposed, found.span
    return {
        "member": found.member,
        "contact_points": list(found.contact_points),
        "suspended": list(found.suspended),
        "readable": found.readable,
        "uncertain": found.uncertain,
        "first": format_time(span[0]) if span else None,
        "last": format_time(span[1]) if span else None,
        "kinds_sent": [_row(asdict(kind)) for kind in exposed.kinds_sent],
        "sent": [
            {**_message(asdict(sent)), "sealed_to": list(kids)}
            for sent, kids in zip(exposed.sent, found.sealed_to, strict=True)
        ],
        "kinds_received": [_row(asdict(kind)) for kind in exposed.kinds_received],
        "received": [_message(asdict(received)) for received in exposed.received],
        "queues_seen": list(found.queues_seen),
    }


def _message(values: Mapping[str, object]) -> dict[str, object]:
    """A message's members under the names that they have everywhere; its bytes are left out."""
    return {_NAMES.get(name, name): value for name, value in _row(values).items() if name != "wire_bytes"}


def _row(values: Mapping[str, object]) -> dict[str, object]:
    return {name: format_time(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _text(found: Exposure) -> str:
    exposed, span = found.exposed, found.span
    now = "not in the list" if not found.contact_points else f"in the list with {', '.join(found.contact_points)}"
    suspended = f", suspended: {', '.join(found.suspended)}" if found.suspended else ""
    sent, received = sum(kind.count for kind in exposed.kinds_sent), sum(kind.count for kind in exposed.kinds_received)
    between = f", signed between {moment(span[0])} and {moment(span[1])}" if span else ""
    kinds = [[_cell(getattr(kind, name)) for name in _KIND] for kind in exposed.kinds_sent]
    rows = [
        [_cell(", ".join(kids) if name == "sealed_to" else getattr(one, name)) for name in _SENT]
        for one, kids in zip(exposed.sent, found.sealed_to, strict=True)
    ]
    thence = [[_cell(getattr(one, name)) for name in _RECEIVED] for one in exposed.received]
    return "\n".join(
        (
            f"{found.member}: {now}{suspended}",
            f"it could have read {found.readable} of {sent} messages of this node{between}",
            *([f"of {found.uncertain} more no broker said whether it took them"] if found.uncertain else ()),
            "",
            table(_KIND, kinds),
            "",
            f"the newest {len(rows)} of {sent} to it:",
            table(_SENT, rows),
            "",
            f"the newest {len(thence)} of {received} from it:",
            table(_RECEIVED, thence),
            "",
            f"On a shared broker it saw the names of all {len(found.queues_seen)} queues of the network and how many",
            "messages were in each, never what was in them. What others sent to it they report themselves.",
        )
    )


def _cell(value: object) -> object:
    return moment(value) if isinstance(value, datetime) else value
