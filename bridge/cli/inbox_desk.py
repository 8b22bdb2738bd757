"""`ncp-bridge inbox board`, `search`, `take`, `give-back`, `close`, `reopen` and `export`: the duty officer's work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

import typer

from bridge.app.desk.board import Board, Entry, ReadBoard
from bridge.app.desk.export import ExportMessages
from bridge.app.desk.open_message import OpenMessages
from bridge.app.desk.search import Hit, Query, SearchMessages
from bridge.app.desk.work import WorkOnItems
from bridge.cli.options import Config, ContactPoint, Reason, officer_or_login, on_node, one_contact_point, time_of
from bridge.cli.output import Json, emit, one_line, table
from bridge.cli.wording import moment
from bridge.compose.node import Node
from bridge.core.times import format_time
from bridge.ports.store.desk import Group

app = typer.Typer(rich_markup_mode=None)

MessageId = Annotated[str, typer.Argument(metavar="ID", help="The message's id, as `inbox list` shows it.")]
Officer = Annotated[str | None, typer.Option("--officer", help="Who; goes into the log. Default: this login.")]
Sender = Annotated[
    str | None, typer.Option("--from", metavar="ID", help="Who sent it; needed when two senders used one message id.")
]


@app.command()
def board(config: Config, contact_point: ContactPoint = None, officer: Officer = None, as_json: Json = False) -> None:
    """Show what needs action, what is in progress, and the newest of the rest, with titles. The look is logged."""

    async def work(node: Node) -> Board:
        own = one_contact_point(node, contact_point, option="--contact-point")
        reading = ReadBoard(node.store, node.vault, node.clock)
        return await reading.show(own, officer=officer_or_login(officer))

    shown = on_node(config, work)
    groups = {group.value: [_entry(entry) for entry in page] for group, page in shown.groups.items()}
    emit({"groups": groups, "counts": dict(shown.counts)}, as_json=as_json, text=lambda: _board_text(shown))


@app.command()
def search(  # noqa: PLR0913 - the command's options
    config: Config,
    text: Annotated[str, typer.Argument(metavar="WORDS", help="All of them must be there; case does not matter.")] = "",
    code: Annotated[list[str] | None, typer.Option(help="A country or another code in the body; repeatable.")] = None,
    kind: Annotated[str | None, typer.Option(help="route_alert, alert_update, ...")] = None,
    urgency: Annotated[str | None, typer.Option(help="immediate, expected, future, past or unknown.")] = None,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Arrived or sent at this time or later.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="Arrived or sent before this time.")] = None,
    contact_point: ContactPoint = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Find messages, received and sent, by words and codes. Which ones were shown is logged, not what was searched."""
    query = Query(
        text=text,
        codes=tuple(code or ()),
        kind=kind,
        urgency=urgency,
        since=time_of(since, option="--since"),
        until=time_of(until, option="--until"),
    )

    async def work(node: Node) -> Mapping[str, object]:
        own = one_contact_point(node, contact_point, option="--contact-point")
        searching = SearchMessages(node.store, node.vault, node.clock)
        found = await searching.find(own, query, officer=officer_or_login(officer))
        return {"messages": [_hit(hit) for hit in found.hits], "is_all": found.is_all}

    found = on_node(config, work)
    emit(found, as_json=as_json, text=lambda: _hits_text(found))


@app.command()
def take(
    message_id: MessageId,
    config: Config,
    over_from: Annotated[str, typer.Option(metavar="OFFICER", help="Who has it now, to take it over.")] = "",
    contact_point: ContactPoint = None,
    sender: Sender = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Note that you have a message in hand."""
    _work(
        WorkOnItems.take,
        "taken",
        message_id,
        config,
        contact_point,
        sender,
        officer,
        as_json=as_json,
        instead_of=over_from,
    )


@app.command("give-back")
def give_back(
    message_id: MessageId,
    config: Config,
    contact_point: ContactPoint = None,
    sender: Sender = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Note that you have it in hand no longer."""
    _work(WorkOnItems.give_back, "given back", message_id, config, contact_point, sender, officer, as_json=as_json)


@app.command()
def close(
    message_id: MessageId,
    config: Config,
    contact_point: ContactPoint = None,
    sender: Sender = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Note that an acknowledged message is done with."""
    _work(WorkOnItems.close, "closed", message_id, config, contact_point, sender, officer, as_json=as_json)


@app.command()
def reopen(
    message_id: MessageId,
    config: Config,
    contact_point: ContactPoint = None,
    sender: Sender = None,
    officer: Officer = None,
    as_json: Json = False,
) -> None:
    """Note that a closed message is not done with after all."""
    _work(WorkOnItems.reopen, "open again", message_id, config, contact_point, sender, officer, as_json=as_json)


@app.command()
def export(
    message_id: MessageId,
    config: Config,
    contact_point: ContactPoint = None,
    sender: Sender = None,
    officer: Officer = None,
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Write one message as JSON: marking, content, answers, and the signed bytes as they are. It is logged."""
    del as_json  # JSON is this command's only form

    async def work(node: Node) -> Mapping[str, object]:
        item = await node.reading.item(message_id, contact_point=contact_point, sender=sender)
        opening = OpenMessages(node.store, node.vault, node.clock, node.reason_for)
        exporting = ExportMessages(opening, node.store, node.clock)
        key = (item.sender, item.id)
        return await exporting.export(item.contact_point, key, officer=officer_or_login(officer), reason=reason)

    exported = on_node(config, work)
    emit(exported, as_json=True, text=str)


def _work(  # noqa: PLR0913 - what the commands have in common
    do: Callable[..., Awaitable[None]],
    done: str,
    message_id: str,
    config: Config,
    contact_point: str | None,
    sender: str | None,
    officer: str | None,
    *,
    as_json: bool,
    **given: str,
) -> None:
    async def work(node: Node) -> None:
        item = await node.reading.item(message_id, contact_point=contact_point, sender=sender)
        working = WorkOnItems(node.store, node.clock)
        await do(working, item.contact_point, (item.sender, item.id), officer=officer_or_login(officer), **given)

    on_node(config, work)
    emit({"id": message_id, "done": done}, as_json=as_json, text=lambda: f"{done}: {message_id}")


def _entry(entry: Entry) -> Mapping[str, object]:
    item, heading = entry.item, entry.heading
    return {
        "id": item.id,
        "from": item.sender,
        "kind": item.kind,
        "status": item.status,
        "urgency": item.urgency,
        "state": item.state,
        "received_at": format_time(item.received_at),
        "acknowledge_by": format_time(item.acknowledge_by) if item.acknowledge_by else None,
        "taken_by": item.taken_by,
        "closed_by": item.closed_by,
        "title": heading.title if heading else None,
        "language": heading.language if heading else None,
        "severity": (heading.severity or None) if heading else None,
        "route": [country for country, _ in heading.countries] if heading else [],
    }


def _hit(hit: Hit) -> Mapping[str, object]:
    message, heading = hit.message, hit.heading
    return {
        "id": message.id,
        "from": message.sender,
        "kind": message.kind,
        "status": message.status,
        "urgency": message.urgency,
        "at": format_time(message.at),
        "title": heading.title if heading else None,
    }


def _board_text(shown: Board) -> str:
    parts = []
    for group in Group:
        rows = []
        for entry in shown.groups[group]:
            item, heading = entry.item, entry.heading
            due = moment(item.acknowledge_by) if group is Group.NEEDS_ACTION else ""
            route = "-".join(country for country, _ in heading.countries) if heading else ""
            severity, title = (heading.severity, heading.title) if heading else ("", "")
            rows.append((item.id, severity or item.kind, due, item.taken_by or "", one_line(route), one_line(title)))
        listed = table(("id", "severity", "acknowledge_by", "taken_by", "route", "title"), rows) if rows else "nothing"
        parts.append(f"{group.value.replace('_', ' ').upper()}\n{listed}")
    return "\n\n".join(parts)


def _hits_text(found: Mapping[str, object]) -> str:
    messages = found["messages"]
    if not isinstance(messages, list) or not messages:
        return "nothing was found"
    rows = [(one["id"], one["from"], one["kind"], moment(one["at"]), one_line(one["title"] or "")) for one in messages]
    more = "" if found["is_all"] else "\nthese are the newest; more words find fewer"
    return table(("id", "from", "kind", "at", "title"), rows) + more
