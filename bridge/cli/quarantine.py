"""`ncp-bridge quarantine`: what was refused, with the code and step. Raw bytes are kept; sealed bodies stay sealed."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Annotated

import typer

from bridge.cli.options import Config, on_node
from bridge.cli.output import Json, emit, table
from bridge.compose import Node
from bridge.core.errors import BadInputError
from bridge.core.times import format_time
from bridge.ports.store.records import Refusal

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)

_COLUMNS = ("id", "code", "step", "at", "queue", "size", "replays")


@app.command("list")
def list_items(
    config: Config,
    code: Annotated[str | None, typer.Option(help="Only this code, for instance E_SIGNATURE.")] = None,
    as_json: Json = False,
) -> None:
    """List what was refused, newest first."""

    async def work(node: Node) -> list[Mapping[str, object]]:
        async with node.store.reading() as unit:
            return [_item(refusal) for refusal in await unit.refusals.list(code=code, limit=1000)]

    items = on_node(config, work)
    emit(
        {"items": items},
        as_json=as_json,
        text=lambda: table(_COLUMNS, [[item[name] for name in _COLUMNS] for item in items]),
    )


@app.command()
def show(refusal_id: Annotated[str, typer.Argument(metavar="ID")], config: Config, as_json: Json = False) -> None:
    """Show one: why it was refused, its unsigned properties, its exact bytes (base64 with --json)."""

    async def work(node: Node) -> Refusal:
        async with node.store.reading() as unit:
            refusal = await unit.refusals.get(refusal_id)
        if refusal is None:
            raise BadInputError("E_UNKNOWN_REFUSAL", f"nothing with id {refusal_id} is in quarantine")
        return refusal

    refusal = on_node(config, work)
    data = {
        **_item(refusal),
        "detail": refusal.detail,
        "contact_point": refusal.contact_point,
        "properties": dict(refusal.properties),
        "bytes_base64": base64.b64encode(refusal.wire_bytes).decode("ascii"),
    }
    shown = (*_COLUMNS, "detail", "contact_point", "properties")
    emit(data, as_json=as_json, text=lambda: "\n".join(f"{name}: {data[name]}" for name in shown))


def _item(refusal: Refusal) -> Mapping[str, object]:
    return {
        "id": refusal.id,
        "code": refusal.code,
        "step": refusal.step,
        "at": format_time(refusal.at),
        "queue": refusal.queue,
        "size": refusal.size,
        "replays": refusal.replays,
    }
