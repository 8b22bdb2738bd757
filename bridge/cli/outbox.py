"""`ncp-bridge outbox`: what was sent, and what became of it at each recipient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from bridge.app.sending.stopped import GONE, SUSPENDED, stop_code
from bridge.cli.due import show_due
from bridge.cli.options import Config, ContactPoint, Limit, on_node
from bridge.cli.output import Json, emit, say, table
from bridge.cli.wording import moment
from bridge.compose.node import Node
from bridge.core.errors import BadInputError, UnavailableError
from bridge.core.messages import acknowledge_within
from bridge.core.times import format_time
from bridge.ports.store.records import PUBLISH_UNKNOWN, OutgoingMessage, OutgoingRecipient

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

_ITEM = ("id", "from", "kind", "urgency", "status", "sent", "recipients", "delivered", "acknowledged", "rejected")
_RECIPIENT = ("id", "state", "sent_at", "delivered_at", "acknowledged_at", "level", "code", "rule")
_TIMES = ("sent_at", "delivered_at", "acknowledged_at")
_STOPPED = {SUSPENDED: "was suspended", GONE: "is in the membership list no more"}


@app.command("list")
def list_items(config: Config, limit: Limit = 1000, as_json: Json = False) -> None:
    """List what this node sent, newest first, with counts per state."""

    async def work(node: Node) -> list[Mapping[str, object]]:
        async with node.store.reading() as unit:
            return [_item(message) for message in await unit.ledger.list(limit=limit)]

    items = on_node(config, work)
    if len(items) == limit:
        say(f"the newest {limit}; --limit shows more")
    emit({"items": items}, as_json=as_json, text=lambda: table(_ITEM, [_row(item) for item in items]))


@app.command()
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message's id, as `outbox list` shows it.")],
    config: Config,
    as_json: Json = False,
) -> None:
    """Per recipient: sent, delivered (a verified receipt), acknowledged (a person's answer)."""

    async def work(node: Node) -> tuple[OutgoingMessage, Mapping[str, str]]:
        async with node.store.reading() as unit:
            message = await unit.ledger.get(message_id)
        if message is None:
            raise BadInputError(
                "E_UNKNOWN_MESSAGE", f"no message {message_id} was sent from this node; outbox list shows what was"
            )
        return message, _stopped(node, message)

    message, stopped = on_node(config, work)
    recipients = [_recipient(recipient) for recipient in message.recipients]
    more = {"expires": format_time(message.expires), "thread": message.thread, "supersedes": message.supersedes}
    emit(
        {**_item(message), **more, "recipients": recipients},
        as_json=as_json,
        text=lambda: _text(message, recipients, stopped),
    )


@app.command()
def due(config: Config, contact_point: ContactPoint = None, as_json: Json = False) -> None:
    """List which recipients have not acknowledged what they received, the soonest due first."""
    show_due(config, contact_point=contact_point, is_ours=False, as_json=as_json)


def _stopped(node: Node, message: OutgoingMessage) -> Mapping[str, str]:
    """The recipients to whom nothing goes now, with the code; without a list nobody is known to be."""
    try:
        directory = node.trust.current()
    except UnavailableError:
        return {}
    codes = {to.id: stop_code(directory, to.id) for to in message.recipients}
    return {identifier: code for identifier, code in codes.items() if code is not None}


def _text(message: OutgoingMessage, recipients: list[dict[str, Any]], stopped: Mapping[str, str]) -> str:
    lines = [
        f"{message.kind}, {message.status}, urgency {message.urgency}, from {message.sender}",
        f"sent {moment(message.sent)}, delivered until {moment(message.expires)} at the latest",
        f"id {message.id}, thread {message.thread}",
    ]
    if message.supersedes is not None:
        lines.append(f"takes the place of {message.supersedes}")
    rows = [[moment(row[name]) if name in _TIMES else row[name] for name in _RECIPIENT] for row in recipients]
    return "\n".join((*lines, "", table(_RECIPIENT, rows), "", *_open_ends(message, stopped)))


def _open_ends(message: OutgoingMessage, stopped: Mapping[str, str]) -> list[str]:
    """What is still to come, and from whom."""
    lines = []
    within = acknowledge_within(message.kind, message.urgency)
    for recipient in message.recipients:
        if recipient.state == "rejected" and recipient.code == "E_EXPIRED":
            lines.append(f"{recipient.id} got it after it had expired: they see that there was one, not what it said")
        elif recipient.state == "rejected":
            lines.append(f"{recipient.id} refused it: {recipient.code}")
        elif recipient.state == "expired" and recipient.code == PUBLISH_UNKNOWN:
            lines.append(f"{recipient.id} may or may not have been reached: no broker said whether it took it")
        elif recipient.state == "expired" and recipient.code in _STOPPED:
            lines.append(f"{recipient.id} was not sent to: it {_STOPPED[recipient.code]}")
        elif recipient.state == "expired":
            lines.append(f"{recipient.id} was not reached: no broker took it before it expired")
        elif recipient.delivered_at is None:
            now = (
                f"; nothing more is sent to it: it {_STOPPED[stopped[recipient.id]]}" if recipient.id in stopped else ""
            )
            lines.append(f"{recipient.id} has not confirmed that it arrived{now}")
        elif within is not None and recipient.acknowledged_at is None:
            due = moment(recipient.delivered_at + within)
            lines.append(f"{recipient.id} has it; an officer's answer is due by {due}")
    return lines or ["nothing is open"]


def _row(item: Mapping[str, object]) -> list[object]:
    return [moment(item[name]) if name == "sent" else item[name] for name in _ITEM]


def _item(message: OutgoingMessage) -> Mapping[str, object]:
    recipients = message.recipients
    return {
        "id": message.id,
        "from": message.sender,
        "kind": message.kind,
        "urgency": message.urgency,
        "status": message.status,
        "sent": format_time(message.sent),
        "recipients": len(recipients),
        "delivered": sum(recipient.state == "delivered" for recipient in recipients),
        "acknowledged": sum(recipient.acknowledged_at is not None for recipient in recipients),
        "rejected": sum(recipient.state == "rejected" for recipient in recipients),
    }


def _recipient(recipient: OutgoingRecipient) -> dict[str, Any]:
    times = (recipient.sent_at, recipient.delivered_at, recipient.acknowledged_at)
    return {
        "id": recipient.id,
        "state": recipient.state,
        **{name: format_time(time) if time else None for name, time in zip(_TIMES, times, strict=True)},
        "level": recipient.level,
        "code": recipient.code,
        "rule": recipient.rule,
        "reason": recipient.reason,
    }
