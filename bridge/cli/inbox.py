"""`ncp-bridge inbox`: what arrived at this node's contact points."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Literal

import typer

from bridge.app.read_message import NO_MARKS, item_summary
from bridge.app.receiving.unchecked import checked_at
from bridge.cli import inbox_desk
from bridge.cli.due import show_due
from bridge.cli.options import Config, ContactPoint, Reason, check_hosted, officer_or_login, on_node
from bridge.cli.output import Json, emit, emit_line, table
from bridge.cli.reading import body_text
from bridge.cli.wording import moment
from bridge.compose.node import Node

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(inbox_desk.app)
POLL_SECONDS = 0.3
PAGE = 500

MessageId = Annotated[str, typer.Argument(metavar="ID", help="The message's id, as `inbox list` shows it.")]
Sender = Annotated[
    str | None, typer.Option("--from", metavar="ID", help="Who sent it; needed when two senders used one message id.")
]
State = Annotated[
    Literal["new", "read", "acknowledged", "expired"] | None, typer.Option(help="Only items in this state.")
]
Officer = Annotated[str | None, typer.Option("--officer", help="Who reads; goes into the log. Default: this login.")]

Items = list[Mapping[str, object]]


@app.command("list")
def list_items(
    config: Config,
    contact_point: ContactPoint = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """List what arrived, oldest first; for people, what waits for an answer first. Shows no body: nothing is read."""

    async def work(node: Node) -> Items:
        check_hosted(node, contact_point)
        items: Items = []
        after = None
        async with node.store.reading() as unit:
            marks = await checked_at(unit)
            while True:
                page = await unit.inbox.list(contact_point=contact_point, state=state, after=after, limit=PAGE)
                items += [item_summary(item, marks=marks) for item in page]
                if len(page) < PAGE:
                    return items
                after = page[-1].cursor

    items = on_node(config, work)
    emit({"items": items}, as_json=as_json, text=lambda: _list_text(items))


@app.command()
def show(
    message_id: MessageId,
    config: Config,
    contact_point: ContactPoint = None,
    sender: Sender = None,
    officer: Officer = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Open one message. The read is logged: who, when, which message."""

    async def work(node: Node) -> Mapping[str, object]:
        check_hosted(node, contact_point)
        return await node.reading.show(
            message_id, contact_point=contact_point, sender=sender, officer=officer_or_login(officer), reason=reason
        )

    shown = on_node(config, work)
    emit(shown, as_json=as_json, text=lambda: body_text(shown))


@app.command()
def due(config: Config, contact_point: ContactPoint = None, as_json: Json = False) -> None:
    """List what waits for an acknowledgement here, the soonest due first."""
    show_due(config, contact_point=contact_point, is_ours=True, as_json=as_json)


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
        check_hosted(node, contact_point)
        after = None if since_start else await node.reading.newest_cursor(contact_point)
        while True:
            async with node.store.reading() as unit:
                items = await unit.inbox.list(contact_point=contact_point, after=after, limit=PAGE)
                marks = await checked_at(unit) if items else NO_MARKS
            for item in items:
                emit_line(item_summary(item, marks=marks))
                after = item.cursor
            if not items:
                await asyncio.sleep(POLL_SECONDS)

    on_node(config, work)


@app.command()
def acknowledge(  # noqa: PLR0913 - the command's options
    message_id: MessageId,
    config: Config,
    level: Annotated[str, typer.Option(help="delivered, read, accepted, forwarded_nationally or not_competent.")],
    officer: Annotated[str, typer.Option(help="The officer's name; it goes into the answer.")],
    note: Annotated[str | None, typer.Option(help="A short note for the sender.")] = None,
    redirect_to: Annotated[str | None, typer.Option(help="Whom to ask instead, with not_competent.")] = None,
    contact_point: ContactPoint = None,
    sender: Sender = None,
    as_json: Json = False,
) -> None:
    """Answer a message in an officer's name: signed, sealed, back to the sender."""

    async def work(node: Node) -> Mapping[str, object]:
        check_hosted(node, contact_point)
        item = await node.reading.item(message_id, contact_point=contact_point, sender=sender)
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


def _list_text(items: Items) -> str:
    waiting = [item for item in items if item["acknowledge_by"] is not None and item["state"] in ("new", "read")]
    waiting.sort(key=lambda item: str(item["acknowledge_by"]))
    answered = [item for item in items if item not in waiting]
    columns = ("id", "contact_point", "from", "kind", "urgency", "status", "arrived", "state", "acknowledge_by")
    rows = []
    for item in (*waiting, *answered):
        times = {"arrived": moment(item["received_at"]), "acknowledge_by": moment(item["acknowledge_by"])}
        rows.append([{**item, **times}[name] for name in columns])
    marked = sum(item["membership_checked_at"] is not None for item in items)
    note = f"\n{marked} came while the membership list was older than 7 days; inbox show says which" if marked else ""
    return table(columns, rows) + (f"\n{len(waiting)} of {len(items)} wait for an answer" if items else "") + note
