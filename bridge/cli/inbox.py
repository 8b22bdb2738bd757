"""`ncp-bridge inbox`: what arrived at this node's contact points."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.app.read_message import item_summary
from bridge.cli.options import Config, ContactPoint, officer_or_login, on_node
from bridge.cli.output import Json, emit, emit_line, table
from bridge.cli.reading import body_text
from bridge.compose import Node

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
POLL_SECONDS = 0.3

Officer = Annotated[str | None, typer.Option("--officer", help="Who reads; goes into the log. Default: this login.")]
_COLUMNS = ("id", "contact_point", "from", "kind", "urgency", "status", "received_at", "state", "acknowledge_by")


@app.command("list")
def list_items(
    config: Config,
    contact_point: ContactPoint = None,
    state: Annotated[str | None, typer.Option(help="new, read, acknowledged or expired.")] = None,
    as_json: Json = False,
) -> None:
    """List what arrived, oldest first. Shows no body, so nothing is logged as read."""

    async def work(node: Node) -> list[Mapping[str, object]]:
        async with node.store.reading() as unit:
            items = await unit.inbox.list(contact_point=contact_point, state=state, limit=1000)
        return [item_summary(item) for item in items]

    items = on_node(config, work)
    emit(
        {"items": items},
        as_json=as_json,
        text=lambda: table(_COLUMNS, [[item[name] for name in _COLUMNS] for item in items]),
    )


@app.command()
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID")],
    config: Config,
    contact_point: ContactPoint = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Open one message. The read is logged: who, when, which message."""

    async def work(node: Node) -> Mapping[str, object]:
        return await node.reading.show(message_id, contact_point=contact_point, officer=officer_or_login(officer))

    shown = on_node(config, work)
    emit(shown, as_json=as_json, text=lambda: body_text(shown))


@app.command()
def watch(
    config: Config,
    contact_point: ContactPoint = None,
    since_start: Annotated[bool, typer.Option(help="Begin with what is there already.")] = False,
    as_json: Json = False,
) -> None:
    """Print one JSON object a line as messages arrive, until Ctrl-C."""
    del as_json  # one object a line is this command's only form

    async def work(node: Node) -> None:
        after = None if since_start else await node.reading.newest_cursor(contact_point)
        while True:
            async with node.store.reading() as unit:
                items = await unit.inbox.list(contact_point=contact_point, after=after, limit=200)
            for item in items:
                emit_line(item_summary(item))
                after = item.cursor
            if not items:
                await asyncio.sleep(POLL_SECONDS)

    on_node(config, work)


@app.command()
def acknowledge(  # noqa: PLR0913 - the command's options
    message_id: Annotated[str, typer.Argument(metavar="ID")],
    config: Config,
    level: Annotated[str, typer.Option(help="delivered, read, accepted, forwarded_nationally or not_competent.")],
    officer: Annotated[str, typer.Option(help="The officer's name; it goes into the answer.")],
    note: Annotated[str | None, typer.Option(help="A short note for the sender.")] = None,
    redirect_to: Annotated[str | None, typer.Option(help="Whom to ask instead, with not_competent.")] = None,
    contact_point: ContactPoint = None,
    as_json: Json = False,
) -> None:
    """Answer a message in an officer's name: signed, sealed, back to the sender."""

    async def work(node: Node) -> Mapping[str, object]:
        item = await node.reading.item(message_id, contact_point=contact_point)
        acknowledging = await node.acknowledging()
        submitted = await acknowledging.acknowledge(
            item, level=level, officer=officer, note=note, redirect_to=redirect_to
        )
        return {"id": submitted.id, "of": message_id, "level": level}

    answer = on_node(config, work)
    emit(
        answer,
        as_json=as_json,
        text=lambda: f"acknowledged {message_id} as {level}; the answer {answer['id']} is in the outbox",
    )
