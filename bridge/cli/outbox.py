"""`ncp-bridge outbox`: what was sent, and what became of it at each recipient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.cli.options import Config, on_node
from bridge.cli.output import Json, emit, table
from bridge.compose import Node
from bridge.core.errors import BadInputError
from bridge.core.times import format_time
from bridge.ports.store.records import OutgoingMessage, OutgoingRecipient

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

_ITEM = ("id", "from", "kind", "urgency", "status", "sent", "recipients", "delivered", "acknowledged", "rejected")
_RECIPIENT = ("id", "state", "sent_at", "delivered_at", "acknowledged_at", "level", "code", "rule")


@app.command("list")
def list_items(config: Config, as_json: Json = False) -> None:
    """List what this node sent, newest first, with counts per state."""

    async def work(node: Node) -> list[Mapping[str, object]]:
        async with node.store.reading() as unit:
            return [_item(message) for message in await unit.ledger.list(limit=1000)]

    items = on_node(config, work)
    emit(
        {"items": items}, as_json=as_json, text=lambda: table(_ITEM, [[item[name] for name in _ITEM] for item in items])
    )


@app.command()
def show(message_id: Annotated[str, typer.Argument(metavar="ID")], config: Config, as_json: Json = False) -> None:
    """Per recipient: sent, delivered (a verified receipt), acknowledged (a person's answer)."""

    async def work(node: Node) -> Mapping[str, object]:
        async with node.store.reading() as unit:
            message = await unit.ledger.get(message_id)
        if message is None:
            raise BadInputError("E_UNKNOWN_MESSAGE", f"no message {message_id} was sent from this node")
        recipients = [_recipient(recipient) for recipient in message.recipients]
        return {**_item(message), "thread": message.thread, "supersedes": message.supersedes, "recipients": recipients}

    shown = on_node(config, work)

    def text() -> str:
        rows = shown["recipients"]
        cells = [[row[name] for name in _RECIPIENT] for row in rows] if isinstance(rows, list) else []
        return f"{shown['kind']}  {shown['id']}  from {shown['from']}  sent {shown['sent']}\n" + table(
            _RECIPIENT, cells
        )

    emit(shown, as_json=as_json, text=text)


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


def _recipient(recipient: OutgoingRecipient) -> dict[str, object]:
    times = {
        "sent_at": recipient.sent_at,
        "delivered_at": recipient.delivered_at,
        "acknowledged_at": recipient.acknowledged_at,
    }
    return {
        "id": recipient.id,
        "state": recipient.state,
        **{name: format_time(moment) if moment else None for name, moment in times.items()},
        "level": recipient.level,
        "code": recipient.code,
        "rule": recipient.rule,
        "reason": recipient.reason,
    }
