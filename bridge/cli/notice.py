"""`ncp-bridge network notice`: tell every member of the newest membership list, with its files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import Config, on_node, one_contact_point
from bridge.cli.output import Json, emit

if TYPE_CHECKING:
    from bridge.app.sending.send_notice import SentNotice
    from bridge.compose.node import Node
    from bridge.ports.list_changes import ListChanges


def notice(
    config: Config,
    network: Annotated[Path, typer.Option(metavar="DIR", help="The network's folder, where its list is published.")],
    sender: Annotated[
        str | None,
        typer.Option("--from", metavar="ID", help="The sending contact point; needed when the node hosts several."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Tell every member that there is another list, and send its new files along: signed, sealed, by the outbox.

    Nodes that reach no mirror keep up by it. The list must let the sender send directory_notice. What a member receives
    is verified as if it came from a mirror.
    """
    from bridge.compose.notifying import send_notice  # noqa: PLC0415 - the other commands of the group need no node

    async def work(node: Node) -> tuple[ListChanges, SentNotice]:
        return await send_notice(node, network, sender=one_contact_point(node, sender, option="--from"))

    changes, sent = on_node(config, work)
    data = {
        "version": changes.version,
        "changes": [{"code": code} | ({"who": who} if who else {}) for code, who in changes.changes],
        "since": changes.since if changes.files else None,
        "files": len(changes.files),
        "messages": [message.id for message in sent.messages],
        "recipients": list(sent.recipients),
        "excluded": [{"id": one.id, "reason": one.reason} for one in sent.excluded],
    }
    emit(data, as_json=as_json, text=lambda: _text(changes, sent))


def _text(changes: ListChanges, sent: SentNotice) -> str:
    carries = f"with {len(changes.files)} files, enough from version {changes.since} on"
    lines = [
        f"version {changes.version} of {changes.network}, {carries if changes.files else 'too large to be sent along'}",
        *(f"{code.replace('_', ' ')}{f': {who}' if who else ''}" for code, who in changes.changes),
        f"{len(sent.messages)} messages to {len(sent.recipients)} contact points are in the outbox",
        *(f"not to {one.id}: {one.reason}" for one in sent.excluded),
    ]
    return "\n".join(lines)
