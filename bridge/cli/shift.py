"""`ncp-bridge shift`: handing over what is open, and taking it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.app.desk.handover import HandOver
from bridge.cli.options import Config, ContactPoint, on_node, one_contact_point, read_input
from bridge.cli.output import Json, emit, table
from bridge.cli.wording import moment
from bridge.compose.node import Node
from bridge.core.errors import BadInputError
from bridge.core.times import format_time
from bridge.ports.store.handovers import HandoverRecord

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

Officer = Annotated[str, typer.Option("--officer", metavar="LOGIN", help="The account of whoever does this.")]
HandoverId = Annotated[str, typer.Argument(metavar="ID", help="As `shift list` shows it.")]
NoteFile = Annotated[
    str | None, typer.Option("--note", metavar="FILE", help="A file with a note, or - for standard input.")
]
_COLUMNS = ("id", "contact_point", "given_by", "given_to", "given_at", "taken_by", "taken_at", "open")


@app.command("list")
def list_shifts(config: Config, contact_point: ContactPoint = None, as_json: Json = False) -> None:
    """List the newest hand-overs; no note is opened."""

    async def work(node: Node) -> list[Mapping[str, object]]:
        own = one_contact_point(node, contact_point, option="--contact-point")
        async with node.store.reading() as unit:
            return [_told(one) for one in await unit.handovers.list(own)]

    items = on_node(config, work)
    emit({"items": items}, as_json=as_json, text=lambda: table(_COLUMNS, [_row(item) for item in items]))


@app.command()
def handover(
    config: Config,
    officer: Officer,
    to: Annotated[str | None, typer.Option(metavar="LOGIN", help="For whom; without it for whoever comes.")] = None,
    note_file: NoteFile = None,
    as_json: Json = False,
) -> None:
    """Hand over everything that is open at your contact point."""
    note = _note(note_file)

    async def work(node: Node) -> HandoverRecord:
        shifts = _shifts(node)
        return await shifts.give(await shifts.person(officer), note=note, to=to)

    given = on_node(config, work)
    whom = to or "whoever comes"
    emit(_told(given), as_json=as_json, text=lambda: f"{len(given.items)} open items wait for {whom}: {given.id}")


@app.command()
def show(handover_id: HandoverId, config: Config, officer: Officer, as_json: Json = False) -> None:
    """Open one hand-over with its note. The read is logged."""

    async def work(node: Node) -> Mapping[str, object]:
        shifts = _shifts(node)
        given, note = await shifts.show(handover_id, await shifts.person(officer))
        items = [{"kind": kind, "id": item_id, "with": who} for kind, item_id, who in given.items]
        return {**_told(given), "items": items, "note": note}

    shown = on_node(config, work)
    emit(shown, as_json=as_json, text=lambda: _text(shown))


@app.command()
def take(
    handover_id: HandoverId,
    config: Config,
    officer: Officer,
    instead_of: Annotated[
        str, typer.Option(metavar="LOGIN", help="Whom it waits for, when you stand in for them.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Take a shift over: what its giver had in hand is in yours."""

    async def work(node: Node) -> HandoverRecord:
        shifts = _shifts(node)
        return await shifts.take(handover_id, await shifts.person(officer), instead_of=instead_of)

    taken = on_node(config, work)
    emit(_told(taken), as_json=as_json, text=lambda: f"{officer} has taken over from {taken.given_by}")


def _shifts(node: Node) -> HandOver:
    return HandOver(node.store, node.vault, node.clock, node.ids)


def _note(file: str | None) -> str:
    if file is None:
        return ""
    try:
        return read_input(file).decode().strip()
    except UnicodeDecodeError:
        raise BadInputError("E_HANDOVER", f"note: {file} is not UTF-8 text", path="note") from None


def _told(given: HandoverRecord) -> Mapping[str, object]:
    return {
        "id": given.id,
        "contact_point": given.contact_point,
        "given_by": given.given_by,
        "given_to": given.given_to,
        "given_at": format_time(given.given_at),
        "taken_by": given.taken_by,
        "taken_at": format_time(given.taken_at) if given.taken_at else None,
        "open": len(given.items),
    }


def _row(item: Mapping[str, object]) -> list[object]:
    return [moment(item[name]) if name.endswith("_at") else item[name] for name in _COLUMNS]


def _text(shown: Mapping[str, object]) -> str:
    items = shown["items"]
    rows = [list(item.values()) for item in items] if isinstance(items, list) else []
    head = f"given by {shown['given_by']} at {moment(shown['given_at'])}, taken by {shown['taken_by'] or 'nobody yet'}"
    return "\n".join((head, "", str(shown["note"] or "no note"), "", table(("kind", "id", "with"), rows)))
